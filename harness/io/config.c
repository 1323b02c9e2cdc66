/* config.c: values from text and back; the INI reader is config_file.c.
 * SPDX-License-Identifier: MIT */
#include "io/config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/config_value.h"

static bool parse_int(const char *text, const char **end, int64_t *value)
{
    char *stop;
    errno = 0;
    long long parsed = strtoll(text, &stop, 10);
    *end = stop;
    *value = parsed;
    return stop != text && errno == 0;
}

static bool in_range(const config_option *o, double value)
{
    return value >= o->low && value <= o->high;
}

static bool set_list(const config_option *o, config_list *list, const char *text, const char *where, fault *f)
{
    config_list read = {0};
    const char *p = text + strspn(text, " \t");
    while (*p) {
        int64_t value;
        const char *end;
        if (read.count == CONFIG_LIST_SIZE)
            return fault_set(f, "%s: %s.%s takes at most %d numbers", where, o->section, o->key, CONFIG_LIST_SIZE);
        if (!parse_int(p, &end, &value) || !(*end == 0 || *end == ' ' || *end == '\t'))
            return fault_set(f, "%s: %s.%s = %s: integers separated by blanks are wanted", where, o->section, o->key, text);
        if (!in_range(o, (double)value))
            return fault_set(f, "%s: %s.%s = %s: each number must be in %g..%g", where, o->section, o->key, text, o->low,
                             o->high);
        read.value[read.count++] = value;
        p = end + strspn(end, " \t");
    }
    *list = read;
    return true;
}

static bool set_choice(const config_option *o, int *place, const char *text, const char *where, fault *f)
{
    size_t length = strlen(text);
    int i = 0;
    for (const char *p = o->choices;; i++) {
        size_t word = strcspn(p, "|");
        if (word == length && memcmp(p, text, word) == 0) {
            *place = i;
            return true;
        }
        if (p[word] == 0)
            return fault_set(f, "%s: %s.%s = %s: must be one of %s", where, o->section, o->key, text, o->choices);
        p += word + 1;
    }
}

bool config_value_set(const config_option *o, void *values, const char *text, const char *where, fault *f)
{
    void *field = (char *)values + o->offset;
    switch (o->type) {
    case CONFIG_INT: {
        int64_t value;
        const char *end;
        if (!parse_int(text, &end, &value) || *end)
            return fault_set(f, "%s: %s.%s = %s: an integer is wanted", where, o->section, o->key, text);
        if (!in_range(o, (double)value))
            return fault_set(f, "%s: %s.%s = %s: must be in %.17g..%.17g", where, o->section, o->key, text, o->low, o->high);
        *(int64_t *)field = value;
        return true;
    }
    case CONFIG_REAL: {
        char *end;
        double value = strtod(text, &end);
        if (end == text || *end || !isfinite(value))
            return fault_set(f, "%s: %s.%s = %s: a finite number is wanted", where, o->section, o->key, text);
        if (!in_range(o, value))
            return fault_set(f, "%s: %s.%s = %s: must be in %g..%g", where, o->section, o->key, text, o->low, o->high);
        *(double *)field = value;
        return true;
    }
    case CONFIG_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return fault_set(f, "%s: %s.%s = %s: must be true or false", where, o->section, o->key, text);
        *(bool *)field = text[0] == 't';
        return true;
    case CONFIG_TEXT:
        if (strlen(text) >= CONFIG_TEXT_SIZE)
            return fault_set(f, "%s: %s.%s: longer than %d characters", where, o->section, o->key, CONFIG_TEXT_SIZE - 1);
        strcpy(field, text);
        return true;
    case CONFIG_CHOICE:
        return set_choice(o, field, text, where, f);
    case CONFIG_LIST:
        return set_list(o, field, text, where, f);
    }
    return false;
}

/* The shortest decimal that reads back as the same double. */
static void print_real(char *text, size_t size, double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

void config_value_print(const config_option *o, const void *values, char *text, size_t size)
{
    const void *field = (const char *)values + o->offset;
    text[0] = 0;
    switch (o->type) {
    case CONFIG_INT:
        snprintf(text, size, "%" PRId64, *(const int64_t *)field);
        break;
    case CONFIG_REAL:
        print_real(text, size, *(const double *)field);
        break;
    case CONFIG_BOOL:
        snprintf(text, size, "%s", *(const bool *)field ? "true" : "false");
        break;
    case CONFIG_TEXT:
        snprintf(text, size, "%s", (const char *)field);
        break;
    case CONFIG_CHOICE: {
        const char *p = o->choices;
        for (int i = *(const int *)field; i > 0; i--)
            p += strcspn(p, "|") + 1;
        snprintf(text, size, "%.*s", (int)strcspn(p, "|"), p);
        break;
    }
    case CONFIG_LIST: {
        const config_list *list = field;
        size_t used = 0;
        for (int i = 0; i < list->count && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i ? " " : "", list->value[i]);
        break;
    }
    }
}

bool config_defaults(const config_table *table, void *values, fault *f)
{
    for (int i = 0; i < table->count; i++)
        if (!config_value_set(&table->option[i], values, table->option[i].initial, "default", f))
            return false;
    return true;
}

const config_option *config_difference(const config_table *table, const void *a, const void *b, char one[CONFIG_TEXT_SIZE],
                                       char other[CONFIG_TEXT_SIZE])
{
    for (int i = 0; i < table->count; i++) {
        const config_option *o = &table->option[i];
        config_value_print(o, a, one, CONFIG_TEXT_SIZE);
        config_value_print(o, b, other, CONFIG_TEXT_SIZE);
        if (!o->incidental && strcmp(one, other) != 0)
            return o;
    }
    return NULL;
}

/* What a value may be, for help and comments: "integer 1..64". */
static void print_kind(const config_option *o, char *text, size_t size)
{
    static const char *const kind[] = {"integer", "number", "true or false", "text", "", "integers"};
    if (o->type == CONFIG_CHOICE)
        snprintf(text, size, "%s", o->choices);
    else if (o->type == CONFIG_BOOL || o->type == CONFIG_TEXT)
        snprintf(text, size, "%s", kind[o->type]);
    else
        snprintf(text, size, "%s %.10g..%.10g", kind[o->type], o->low, o->high);
}

char *config_text(const config_table *table, const void *values)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    const char *section = "";
    for (int i = 0; i < table->count; i++) {
        const config_option *o = &table->option[i];
        char value[CONFIG_TEXT_SIZE], kind[CONFIG_TEXT_SIZE];
        config_value_print(o, values, value, sizeof value);
        print_kind(o, kind, sizeof kind);
        if (strcmp(section, o->section) != 0)
            fprintf(out, "%s[%s]\n", i ? "\n" : "", o->section);
        section = o->section;
        fprintf(out, "; %s (%s)\n%s = %s\n", o->help, kind, o->key, value);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

cJSON *config_json(const config_table *table, const void *values)
{
    cJSON *root = cJSON_CreateObject();
    for (int i = 0; i < table->count; i++) {
        const config_option *o = &table->option[i];
        const void *field = (const char *)values + o->offset;
        cJSON *section = cJSON_GetObjectItemCaseSensitive(root, o->section);
        if (!section)
            section = cJSON_AddObjectToObject(root, o->section);
        char text[CONFIG_TEXT_SIZE];
        config_value_print(o, values, text, sizeof text);
        if (o->type == CONFIG_BOOL)
            cJSON_AddBoolToObject(section, o->key, *(const bool *)field);
        else if (o->type == CONFIG_INT || o->type == CONFIG_REAL)
            cJSON_AddRawToObject(section, o->key, text);
        else if (o->type == CONFIG_LIST) {
            const config_list *list = field;
            cJSON *array = cJSON_AddArrayToObject(section, o->key);
            for (int k = 0; k < list->count; k++)
                cJSON_AddItemToArray(array, cJSON_CreateNumber((double)list->value[k]));
        } else
            cJSON_AddStringToObject(section, o->key, text);
    }
    return root;
}

void config_help(const config_table *table, FILE *out)
{
    const char *section = "";
    for (int i = 0; i < table->count; i++) {
        const config_option *o = &table->option[i];
        char kind[CONFIG_TEXT_SIZE];
        print_kind(o, kind, sizeof kind);
        if (strcmp(section, o->section) != 0)
            fprintf(out, "%s[%s]\n", i ? "\n" : "", o->section);
        section = o->section;
        fprintf(out, "  %-18s %s\n  %-18s %s; default %s\n", o->key, o->help, "", kind, o->initial[0] ? o->initial : "empty");
    }
}
