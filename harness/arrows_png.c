/* arrows_png.c: pictures of the arrow task, for a person to look at: one PNG per example, with the label in its name, and a
 * contact sheet where the answer is drawn below each picture.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/arrows.h"
#include "io/file.h"
#include "io/flags.h"
#include "settings.h"

#define SCALE 3  /* screen pixels per pixel of the task */
#define MARGIN 8 /* screen pixels between the pictures of the sheet */
#define COUNT_MAX 10000
#define GREY 128
#define STRIP ((ARROWS_CELL + 2) * SCALE) /* below a picture, holds the answer */

typedef struct arguments {
    const char *config, *out, *count;
    const char **set;
    int sets;
    bool test, help;
} arguments;

typedef struct picture {
    uint32_t width, height;
    uint8_t *grey;
} picture;

static void help(void)
{
    printf("arrows_png [CONFIG.ini] --out DIR [--count N] [--test] [--set section.key=value]...\n\n"
           "  --out     folder for NNNNN-LABEL.png and sheet.png\n"
           "  --count   number of examples, 1..%d; default 20\n"
           "  --test    from the test set instead of the training set\n"
           "  --set     as for train; run.seed and the options of [arrows] matter here\n"
           "  --help    this text\n\n",
           COUNT_MAX);
    config_help(&settings_table, stdout);
}

static bool parse(int argc, char **argv, arguments *a, fault *f)
{
    static const struct option flags[] = {{"out", required_argument, NULL, 'o'}, {"count", required_argument, NULL, 'n'},
                                          {"test", no_argument, NULL, 't'},      {"set", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
    for (int flag; (flag = flags_next(argc, argv, flags, f)) != -1;) {
        switch (flag) {
        case 'o':
            a->out = optarg;
            break;
        case 'n':
            a->count = optarg;
            break;
        case 't':
            a->test = true;
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
        a->config = argv[optind];
    return a->help || a->out || fault_set(f, "no folder given; see --help");
}

/* Draws a picture of side x side values in -1..1, each SCALE pixels large, with its corner at (left, top). */
static void paint(picture *p, const float *image, int side, uint32_t left, uint32_t top)
{
    for (uint32_t row = 0; row < (uint32_t)side * SCALE; row++)
        for (uint32_t column = 0; column < (uint32_t)side * SCALE; column++) {
            float value = image[row / SCALE * (uint32_t)side + column / SCALE];
            p->grey[(size_t)(top + row) * p->width + left + column] = value > 0 ? 0 : 255; /* ink is black */
        }
}

static bool write_png(const char *folder, const char *name, const picture *p, fault *f)
{
    char *path = file_path(folder, name);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = p->width, .height = p->height, .format = PNG_FORMAT_GRAY};
    errno = 0;
    bool good = path && png_image_write_to_file(&image, path, 0, p->grey, 0, NULL);
    if (!good)
        fault_set(f, "%s/%s: cannot write: %s", folder, name, errno ? strerror(errno) : image.message);
    free(path);
    return good;
}

static bool create_picture(picture *p, uint32_t width, uint32_t height, fault *f)
{
    *p = (picture){.width = width, .height = height, .grey = malloc((size_t)width * height)};
    if (!p->grey)
        return fault_set(f, "out of memory for a picture of %u x %u", width, height);
    memset(p->grey, GREY, (size_t)width * height);
    return true;
}

/* Examples 0..count-1, as files and on the sheet. */
static bool draw(const arrows_options *o, int count, const char *folder, picture *one, picture *sheet, uint32_t columns,
                 fault *f)
{
    int side = o->grid * ARROWS_CELL;
    float *image = malloc((size_t)(side * side) * sizeof *image);
    bool good = image || fault_set(f, "out of memory");
    for (int i = 0; i < count && good; i++) {
        arrows_scene scene, answer = {.grid = 1};
        arrows_draw(o, (uint64_t)i, &scene);
        arrows_render(&scene, image);
        char name[64];
        snprintf(name, sizeof name, "%05d-%s.png", i, arrows_direction_name(scene.label));
        paint(one, image, side, 0, 0);
        good = write_png(folder, name, one, f);

        uint32_t left = MARGIN + (uint32_t)i % columns * (one->width + MARGIN);
        uint32_t top = MARGIN + (uint32_t)i / columns * (one->height + STRIP + MARGIN);
        paint(sheet, image, side, left, top);
        answer.cell[0] = (uint8_t)(ARROWS_ARROW + scene.label);
        float glyph[ARROWS_CELL * ARROWS_CELL];
        arrows_render(&answer, glyph);
        paint(sheet, glyph, ARROWS_CELL, left + (one->width - ARROWS_CELL * SCALE) / 2, top + one->height + SCALE);
    }
    free(image);
    return good && write_png(folder, "sheet.png", sheet, f);
}

typedef struct pictures {
    arrows_options task;
    long count;
} pictures;

static bool resolve(const arguments *a, pictures *p, fault *f)
{
    settings s;
    if (!config_defaults(&settings_table, &s, f) || (a->config && !config_read(&settings_table, &s, a->config, f)))
        return false;
    for (int i = 0; i < a->sets; i++)
        if (!config_set(&settings_table, &s, a->set[i], f))
            return false;
    char *end = NULL;
    p->count = a->count ? strtol(a->count, &end, 10) : 20;
    if ((a->count && (end == a->count || *end)) || p->count < 1 || p->count > COUNT_MAX)
        return fault_set(f, "--count %s: an integer 1..%d is wanted", a->count, COUNT_MAX);

    p->task = (arrows_options){.grid = (int)s.grid,
                               .arrows = (int)s.arrows,
                               .letters = (int)s.letters,
                               .adjacent = s.adjacent,
                               .seed = (uint64_t)(a->test ? s.test_seed : s.seed),
                               .stream = a->test ? RANDOM_ARROWS_TEST : RANDOM_ARROWS};
    dataset *checked = arrows_create(&p->task, f);
    if (!checked)
        return false;
    checked->destroy(checked);
    return true;
}

static bool draw_all(const pictures *p, const char *folder, fault *f)
{
    uint32_t columns = (uint32_t)ceil(sqrt((double)p->count)), rows = ((uint32_t)p->count + columns - 1) / columns;
    uint32_t side = (uint32_t)p->task.grid * ARROWS_CELL * SCALE;
    picture one = {0}, sheet = {0};
    bool good = file_make_folder(folder, f) && create_picture(&one, side, side, f) &&
                create_picture(&sheet, MARGIN + columns * (side + MARGIN), MARGIN + rows * (side + STRIP + MARGIN), f) &&
                draw(&p->task, (int)p->count, folder, &one, &sheet, columns, f);
    free(one.grey);
    free(sheet.grey);
    if (good)
        printf("%s: %ld pictures and sheet.png\n", folder, p->count);
    return good;
}

int main(int argc, char **argv)
{
    fault f = {""};
    arguments a = {.set = calloc((size_t)argc, sizeof *a.set)};
    pictures p;
    bool good = a.set ? parse(argc, argv, &a, &f) && (a.help || resolve(&a, &p, &f)) : fault_set(&f, "out of memory");
    int status = good ? EXIT_SUCCESS : 2;
    if (good && a.help)
        help();
    else if (good && !draw_all(&p, a.out, &f))
        status = EXIT_FAILURE;
    free(a.set);
    if (status != EXIT_SUCCESS)
        fprintf(stderr, "arrows_png: %s\n", f.text);
    return status;
}
