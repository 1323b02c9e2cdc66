/* evaluate.c: the program that tests a trained model: accuracy on each test set, as a table and for other programs.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/checkpoint.h"
#include "io/file.h"
#include "io/flags.h"
#include "scoring.h"
#include "settings.h"
#include "task.h"
#include "wait_policy.h"
#include "weights.h"

static void help(void)
{
    printf("evaluate MODEL [--grids \"5 8 13\"] [--examples N] [--data DIR] [--threads N] [--set section.key=value]...\n"
           "         [--json FILE] [--correct FILE]\n\n"
           "  MODEL       a model.safetensors, a checkpoint, or the folder of a run: its model, or its newest checkpoint\n"
           "  --grids, --examples, --data, --threads are short for arrows.test_grids, arrows.test_examples, data.folder, "
           "run.threads\n"
           "  --json      write the figures to this file\n"
           "  --correct   write to this file, example by example, whether it was right: lines set,sample,correct\n"
           "  --help      this text\n\n"
           "The model carries the config it was trained with; --set changes single options of it:\n\n");
    config_help(&settings_table, stdout);
}

typedef struct arguments {
    const char *model, *grids, *examples, *data, *threads, *json, *correct;
    const char **set;
    int sets;
    bool help;
} arguments;

static bool parse(int argc, char **argv, arguments *a, fault *f)
{
    static const struct option flags[] = {{"grids", required_argument, NULL, 'g'},
                                          {"examples", required_argument, NULL, 'n'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"correct", required_argument, NULL, 'c'},
                                          {"set", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int flag; (flag = flags_next(argc, argv, flags, f)) != -1;) {
        switch (flag) {
        case 'g':
            a->grids = optarg;
            break;
        case 'n':
            a->examples = optarg;
            break;
        case 'd':
            a->data = optarg;
            break;
        case 't':
            a->threads = optarg;
            break;
        case 'j':
            a->json = optarg;
            break;
        case 'c':
            a->correct = optarg;
            break;
        case 's':
            a->set[a->sets++] = optarg;
            break;
        case 'h':
            a->help = true;
            break;
        default:
            return false;
        }
    }
    if (optind < argc)
        a->model = argv[optind++];
    if (a->json && a->correct && file_same(a->json, a->correct))
        return fault_set(f, "--json and --correct name one file: %s", a->json);
    if (optind < argc)
        return fault_set(f, "%s: one model is wanted, this is a second one", argv[optind]);
    return a->help || a->model || fault_set(f, "no model given; see --help");
}

static void report(const char *line)
{
    fprintf(stderr, "evaluate: %s; trying the checkpoint before\n", line);
}

/* The model at this path outlives what is written. */
static bool spares(const arguments *a, const char *path, fault *f)
{
    if ((a->json && file_same(a->json, path)) || (a->correct && file_same(a->correct, path)))
        return fault_set(f, "%s: is the model; --json and --correct need names of their own", path);
    return true;
}

/* The file that a->model names: itself, or the model in the folder of a run that is done; NULL for another folder. */
static char *model_file(const arguments *a)
{
    struct stat status;
    if (stat(a->model, &status) != 0 || !S_ISDIR(status.st_mode))
        return strdup(a->model);
    char *path = file_path(a->model, "model.safetensors");
    if (path && stat(path, &status) == 0)
        return path;
    free(path);
    return NULL;
}

static safetensors *newest_checkpoint(const char *folder, fault *f)
{
    checkpoint c;
    if (!checkpoint_read_latest(folder, &c, report, f))
        return NULL;
    if (!c.file)
        fault_set(f, "%s: holds neither model.safetensors nor a checkpoint", folder);
    return c.file;
}

static bool trained_with(const arguments *a, const safetensors *file, settings *s, fault *f)
{
    const char *text = safetensors_metadata(file, "config");
    if (!text)
        return fault_set(f, "%s: no config in its metadata: not written by train", a->model);
    return config_defaults(&settings_table, s, f) && config_read_text(&settings_table, s, text, a->model, f);
}

static bool resolve(const arguments *a, settings *s, fault *f)
{
    for (int i = 0; i < a->sets; i++)
        if (!config_set(&settings_table, s, a->set[i], f))
            return false;
    if ((a->grids || a->examples) && s->set != SET_ARROWS)
        return fault_set(f, "--grids and --examples: %s was not trained on the arrow task; its test set is as it is", a->model);
    return config_flag(&settings_table, s, "--grids", "arrows", "test_grids", a->grids, f) &&
           config_flag(&settings_table, s, "--examples", "arrows", "test_examples", a->examples, f) &&
           config_flag(&settings_table, s, "--data", "data", "folder", a->data, f) &&
           config_flag(&settings_table, s, "--threads", "run", "threads", a->threads, f);
}

static bool write_json(const char *path, const arguments *a, const settings *s, const task *t, const score *scores, fault *f)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "schema", "libso-evaluation-1");
    cJSON_AddStringToObject(root, "model", a->model);
    cJSON_AddStringToObject(root, "commit", COMMIT);
    cJSON *tests = cJSON_AddArrayToObject(root, "tests");
    for (int i = 0; i < t->tests; i++)
        cJSON_AddItemToArray(tests, score_json(t->test[i].name, &scores[i]));
    cJSON_AddItemToObject(root, "config", config_json(&settings_table, s));
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return fault_set(f, "%s: out of memory", path);
    bool good = file_write_atomic(path, (file_part[]){{text, strlen(text)}, {"\n", 1}}, 2, f);
    cJSON_free(text);
    return good;
}

/* Accuracy with its 95 % interval (Wilson 1927). */
static void print_row(const char *name, const score *s)
{
    double n = (double)s->n, p = (double)s->correct / n, z = 1.959963984540054;
    double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    printf("%-10s %9" PRId64 " %9" PRId64 "   %6.2f %%  (%.2f - %.2f)   %.4f\n", name, s->n, s->correct, 100 * p,
           100 * (centre - half), 100 * (centre + half), s->loss);
}

static bool run_tests(const arguments *a, const settings *s, const task *t, vit *model, fault *f)
{
    score scores[CONFIG_LIST_SIZE] = {{0}};
    char *flags_text = NULL;
    size_t flags_size = 0;
    FILE *flags = open_memstream(&flags_text, &flags_size);
    if (!flags)
        return fault_set(f, "out of memory");
    fprintf(flags, "set,sample,correct\n");
    printf("%-10s %9s %9s   %s\n", "set", "n", "correct", "accuracy (95 % interval)    loss");
    bool good = true;
    for (int i = 0; i < t->tests && good; i++) {
        scoring how = {.batch = (int)s->evaluate_batch, .threads = (int)s->loader_threads};
        uint8_t *right = calloc((size_t)t->test[i].set->count, 1);
        good = right ? score_model(model, t->test[i].set, &how, right, &scores[i], f) : fault_set(f, "out of memory");
        if (good)
            print_row(t->test[i].name, &scores[i]);
        for (int64_t k = 0; k < scores[i].n && good; k++)
            fprintf(flags, "%s,%" PRId64 ",%d\n", t->test[i].name, k, right[k]);
        free(right);
    }
    good = (fclose(flags) == 0 || fault_set(f, "out of memory")) && good;
    if (good && a->correct)
        good = file_write_atomic(a->correct, &(file_part){flags_text, flags_size}, 1, f);
    free(flags_text);
    return good && (!a->json || write_json(a->json, a, s, t, scores, f));
}

static bool test(const arguments *a, const settings *s, const task *t, const safetensors *file, fault *f)
{
    char problem[VIT_ERROR_SIZE];
    vit_config c = task_model(s);
    ops *device = ops_create_cpu((int)s->threads);
    vit *model = device ? vit_create(device, &c, problem) : NULL;
    bool good = model || fault_set(f, "model: %s", device ? problem : "no CPU device");
    fault inner;
    if (good && !weights_upload(device, model, file, false, &inner))
        good = fault_set(f, "%s: %s", a->model, inner.text);
    good = good && task_check_sizes(t, model, f) && run_tests(a, s, t, model, f);
    vit_destroy(model);
    if (device)
        device->destroy(device);
    return good;
}

/* The exit status. */
static int evaluate(const arguments *a, fault *f)
{
    int status = EXIT_FAILURE;
    safetensors *file = NULL;
    settings s;
    task t = {0};
    char *path = model_file(a);
    if (path && !spares(a, path, f))
        status = 2;
    else if ((file = path ? safetensors_read(path, f) : newest_checkpoint(a->model, f)) && trained_with(a, file, &s, f)) {
        if (!resolve(a, &s, f) || !task_create(&t, &s, false, f))
            status = 2;
        else if (test(a, &s, &t, file, f))
            status = EXIT_SUCCESS;
    }
    task_destroy(&t);
    safetensors_free(file);
    free(path);
    return status;
}

int main(int argc, char **argv)
{
    wait_policy_passive(argv);
    fault f = {""};
    arguments a = {.set = calloc((size_t)argc, sizeof *a.set)};
    if (!a.set || !parse(argc, argv, &a, &f)) {
        fprintf(stderr, "evaluate: %s\n", a.set ? f.text : "out of memory");
        free(a.set);
        return 2;
    }
    int status = EXIT_SUCCESS;
    if (a.help)
        help();
    else
        status = evaluate(&a, &f);
    free(a.set);
    if (status != EXIT_SUCCESS)
        fprintf(stderr, "evaluate: %s\n", f.text);
    return status;
}
