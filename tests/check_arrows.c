/* check_arrows.c: the generated task is the one that is defined, and can be solved only by reading positions.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/arrows.h"
#include "tests/folder.h"
#include "tests/process.h"

static arrows_options standard(int grid)
{
    return (arrows_options){.grid = grid, .arrows = 8, .letters = 6, .seed = 1, .stream = RANDOM_ARROWS};
}

static const int row_step[] = {-1, 0, 1, 0}, column_step[] = {0, 1, 0, -1}; /* up, right, down, left */

static int is_arrow(int cell)
{
    return cell >= ARROWS_ARROW && cell < ARROWS_Y;
}

/* The label, from the cells alone: find the Y, walk from its foot to the first thing, which must be an arrow. */
static int solve(const arrows_scene *s, int *distance)
{
    for (int i = 0; i < s->grid * s->grid; i++) {
        if (s->cell[i] < ARROWS_Y || s->cell[i] >= ARROWS_LETTER)
            continue;
        int d = s->cell[i] - ARROWS_Y, row = i / s->grid, column = i % s->grid;
        for (*distance = 1;; ++*distance) {
            row += row_step[d];
            column += column_step[d];
            ck_assert(row >= 0 && row < s->grid && column >= 0 && column < s->grid);
            int cell = s->cell[row * s->grid + column];
            if (cell == ARROWS_EMPTY)
                continue;
            ck_assert(is_arrow(cell));
            return cell - ARROWS_ARROW;
        }
    }
    ck_abort_msg("no Y");
    return -1;
}

START_TEST(label_follows_from_the_cells)
{
    static const int grids[] = {5, 8, 13};
    for (int g = 0; g < 3; g++)
        for (uint64_t sample = 0; sample < 2000; sample++) {
            arrows_options o = standard(grids[g]);
            arrows_scene s;
            int distance, objects = 0, arrows = 0, ys = 0, letters[5] = {0};
            arrows_draw(&o, sample, &s);
            ck_assert_int_eq(solve(&s, &distance), (int)s.label);
            for (int i = 0; i < s.grid * s.grid; i++) {
                objects += s.cell[i] != ARROWS_EMPTY;
                arrows += is_arrow(s.cell[i]);
                ys += s.cell[i] >= ARROWS_Y && s.cell[i] < ARROWS_LETTER;
                if (s.cell[i] >= ARROWS_LETTER)
                    letters[s.cell[i] - ARROWS_LETTER]++;
            }
            ck_assert_int_eq(objects, 14);
            ck_assert_int_eq(arrows, 8);
            ck_assert_int_eq(ys, 1);
            for (int i = 0; i < 5; i++)
                ck_assert_int_eq(letters[i], 1);
        }
}
END_TEST

START_TEST(adjacent_means_next_to_it)
{
    arrows_options o = standard(5);
    o.adjacent = true;
    for (uint64_t sample = 0; sample < 1000; sample++) {
        arrows_scene s;
        int distance;
        arrows_draw(&o, sample, &s);
        ck_assert_int_eq(solve(&s, &distance), (int)s.label);
        ck_assert_int_eq(distance, 1);
    }
}
END_TEST

static void assert_uniform(const int *count, int bins, const char *what)
{
    double n = 0, chi2 = 0;
    for (int i = 0; i < bins; i++)
        n += count[i];
    for (int i = 0; i < bins; i++)
        chi2 += (count[i] - n / bins) * (count[i] - n / bins) / (n / bins);
    double freedom = bins - 1;
    ck_assert_msg(chi2 < freedom + 5 * sqrt(2 * freedom), "%s: chi^2 = %g with %g degrees of freedom", what, chi2, freedom);
}

START_TEST(draws_are_uniform)
{
    enum { G = 5, DRAWS = 40000, PAIRS = 4 * G * (G - 1) };
    arrows_options o = standard(G);
    int label[4] = {0}, pair[G * G * 4] = {0}, packed[PAIRS], pairs = 0, by_room[G][G] = {{0}}, distractor[4] = {0};
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
        arrows_scene s;
        int distance;
        arrows_draw(&o, sample, &s);
        solve(&s, &distance);
        label[s.label]++;
        int d = s.cell[s.y] - ARROWS_Y, row = s.y / G, column = s.y % G;
        pair[s.y * 4 + d]++;
        int room = d == 0 ? row : d == 1 ? G - 1 - column : d == 2 ? G - 1 - row : column;
        by_room[room][distance]++;
        for (int i = 0; i < G * G; i++)
            if (i != s.target && is_arrow(s.cell[i]))
                distractor[s.cell[i] - ARROWS_ARROW]++;
    }
    for (int i = 0; i < G * G * 4; i++)
        if (pair[i])
            packed[pairs++] = pair[i];
    ck_assert_int_eq(pairs, PAIRS);
    assert_uniform(label, 4, "label");
    assert_uniform(packed, PAIRS, "position and orientation of the Y");
    assert_uniform(distractor, 4, "directions of the other arrows");
    for (int room = 2; room < G; room++)
        assert_uniform(&by_room[room][1], room, "distance");
}
END_TEST

/* Answering the most frequent direction among all arrows: 44.2 % with 8 arrows. */
START_TEST(bag_of_tokens_ceiling)
{
    enum { DRAWS = 40000 };
    static const struct {
        int arrows;
        double ceiling; /* E[max of a multinomial(n; 1/4)]/n */
    } rows[] = {{1, 1.0}, {2, 0.625}, {4, 0.531}, {8, 0.442}};
    for (int r = 0; r < 4; r++) {
        arrows_options o = standard(5);
        o.arrows = rows[r].arrows;
        double right = 0;
        for (uint64_t sample = 0; sample < DRAWS; sample++) {
            arrows_scene s;
            int count[4] = {0}, most = 0, ties = 0;
            arrows_draw(&o, sample, &s);
            for (int i = 0; i < 25; i++)
                if (is_arrow(s.cell[i]))
                    count[s.cell[i] - ARROWS_ARROW]++;
            for (int d = 0; d < 4; d++)
                if (count[d] > count[most])
                    most = d;
            for (int d = 0; d < 4; d++)
                ties += count[d] == count[most];
            if (count[s.label] == count[most])
                right += 1.0 / ties; /* what a guess among equals gives on average */
        }
        double p = rows[r].ceiling;
        ck_assert_msg(fabs(right / DRAWS - p) < 0.0006 + 5 * sqrt(p * (1 - p) / DRAWS), "%d arrows: %g", rows[r].arrows,
                      right / DRAWS);
    }
}
END_TEST

START_TEST(few_letters_are_a_random_subset)
{
    arrows_options o = standard(5);
    o.letters = 3;
    int count[5] = {0};
    for (uint64_t sample = 0; sample < 10000; sample++) {
        arrows_scene s;
        int letters = 0;
        arrows_draw(&o, sample, &s);
        for (int i = 0; i < 25; i++)
            if (s.cell[i] >= ARROWS_LETTER) {
                letters++;
                count[s.cell[i] - ARROWS_LETTER]++;
            }
        ck_assert_int_eq(letters, 2);
    }
    assert_uniform(count, 5, "letters");
}
END_TEST

START_TEST(streams_and_seeds_differ)
{
    arrows_options a = standard(5), b = a, c = a;
    b.stream = RANDOM_ARROWS_TEST;
    c.seed = 2;
    int same_b = 0, same_c = 0;
    for (uint64_t sample = 0; sample < 1000; sample++) {
        arrows_scene x, y, z, again;
        arrows_draw(&a, sample, &x);
        arrows_draw(&b, sample, &y);
        arrows_draw(&c, sample, &z);
        arrows_draw(&a, sample, &again);
        ck_assert_int_eq(memcmp(x.cell, again.cell, 25), 0);
        same_b += memcmp(x.cell, y.cell, 25) == 0;
        same_c += memcmp(x.cell, z.cell, 25) == 0;
    }
    ck_assert_int_eq(same_b + same_c, 0);
}
END_TEST

static float pixel(const float *image, int row, int column)
{
    return image[row * ARROWS_CELL + column];
}

/* The picture of an arrow is what its direction says: heavier towards its head, and each direction is a quarter turn of the one
 * before. */
START_TEST(glyphs_are_turned)
{
    float image[8][ARROWS_CELL * ARROWS_CELL];
    for (int i = 0; i < 8; i++) {
        arrows_scene s = {.grid = 1, .cell = {(uint8_t)(ARROWS_ARROW + i)}};
        arrows_render(&s, image[i]);
    }
    for (int kind = 0; kind < 2; kind++)
        for (int d = 0; d < 4; d++)
            for (int r = 0; r < ARROWS_CELL; r++)
                for (int c = 0; c < ARROWS_CELL; c++) /* clockwise: row r becomes column 11 - r */
                    ck_assert(pixel(image[4 * kind + (d + 1) % 4], c, ARROWS_CELL - 1 - r) == pixel(image[4 * kind + d], r, c));
    double upper = 0, lower = 0, foot = 0, arms = 0;
    for (int r = 0; r < ARROWS_CELL; r++)
        for (int c = 0; c < ARROWS_CELL; c++) {
            *(r < 6 ? &upper : &lower) += (double)pixel(image[ARROWS_UP], r, c);
            *(r < 6 ? &arms : &foot) += (double)pixel(image[4 + ARROWS_DOWN], r, c);
        }
    ck_assert(upper > lower); /* the head of the arrow that points up is in the upper half */
    ck_assert(arms > foot);   /* the two arms of the Y with its foot down are in the upper half */
}
END_TEST

START_TEST(data_set)
{
    fault f = {""};
    arrows_options o = standard(8);
    o.count = 100;
    dataset *d = arrows_create(&o, &f);
    ck_assert_ptr_nonnull(d);
    ck_assert_int_eq((int)d->count, 100);
    ck_assert_int_eq(d->size[0], 96);
    ck_assert_int_eq(d->classes, 4);
    size_t plane = 96 * 96;
    float *image = malloc(dataset_floats(d) * sizeof *image), *expected = malloc(plane * sizeof *expected);
    for (uint64_t sample = 0; sample < 20; sample++) {
        int32_t label;
        arrows_scene s;
        ck_assert(d->get(d, sample, 3, image, &label, &f));
        arrows_draw(&o, sample, &s);
        arrows_render(&s, expected);
        ck_assert_int_eq(label, (int)s.label);
        for (size_t channel = 0; channel < 3; channel++)
            ck_assert_int_eq(memcmp(image + channel * plane, expected, plane * sizeof *image), 0);
        for (size_t i = 0; i < plane; i++)
            ck_assert(image[i] == 1 || image[i] == -1);
    }
    free(image);
    free(expected);
    d->destroy(d);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    fault f = {""};
    arrows_options o = standard(3); /* 9 cells, 3 may be taken by the question, 12 other objects */
    ck_assert_ptr_null(arrows_create(&o, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "do not always fit a grid of 3 x 3"));
    o = standard(1);
    ck_assert_ptr_null(arrows_create(&o, &f));
    o = standard(5);
    o.letters = 7;
    ck_assert_ptr_null(arrows_create(&o, &f));
    o = standard(4); /* exactly full: 16 - 4 = 7 + 5 */
    dataset *d = arrows_create(&o, &f);
    ck_assert_ptr_nonnull(d);
    for (uint64_t sample = 0; sample < 1000; sample++) {
        arrows_scene s;
        int distance;
        arrows_draw(&o, sample, &s);
        ck_assert_int_eq(solve(&s, &distance), (int)s.label);
    }
    d->destroy(d);
}
END_TEST

static uint8_t *read_grey(const char *path, uint32_t *width, uint32_t *height)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    ck_assert_msg(png_image_begin_read_from_file(&image, path), "%s: %s", path, image.message);
    image.format = PNG_FORMAT_GRAY;
    uint8_t *grey = malloc(PNG_IMAGE_SIZE(image));
    ck_assert(png_image_finish_read(&image, NULL, grey, 0, NULL));
    *width = image.width;
    *height = image.height;
    return grey;
}

/* arrows_png draws what the trainer sees, three screen pixels for one, ink black. */
START_TEST(pictures_for_people)
{
    char folder[64], path[256];
    process p = {0};
    if (!process_exists("harness/arrows_png"))
        return;
    folder_make(folder);
    process_run(&p, "harness/arrows_png", "--out %s/new/pictures --count 3 --set run.seed=1", folder);
    ck_assert_msg(p.code == 0, "%s", p.output);
    uint32_t width, height;
    for (uint64_t sample = 0; sample < 3; sample++) {
        arrows_options o = standard(5);
        arrows_scene s;
        float image[60 * 60];
        arrows_draw(&o, sample, &s);
        arrows_render(&s, image);
        snprintf(path, sizeof path, "%s/new/pictures/%05d-%s.png", folder, (int)sample, arrows_direction_name(s.label));
        uint8_t *grey = read_grey(path, &width, &height);
        ck_assert(width == 180 && height == 180);
        for (uint32_t i = 0; i < width * height; i++)
            ck_assert_int_eq(grey[i]<128, image[i / width / 3 * 60 + i % width / 3]> 0);
        free(grey);
    }
    snprintf(path, sizeof path, "%s/new/pictures/sheet.png", folder);
    free(read_grey(path, &width, &height));
    ck_assert(width > 2 * 180 && height > 2 * 180);

    static const struct {
        int code;
        const char *arguments, *line;
    } bad[] = {
        {2, "--nonsense --out x", "arrows_png: --nonsense is no option; see --help"},
        {2, "--count 0 --out x", "--count 0: an integer 1..10000 is wanted"},
        {2, "--count 2x --out x", "--count 2x: an integer"},
        {2, "--out x --set arrows.gird=3", "the nearest known one is arrows.grid"},
        {2, "--out x --set arrows.grid=3", "do not always fit a grid of 3 x 3"},
        {1, "--out /proc/x", "/proc/x: cannot make this folder"},
        {2, "--count 3", "no folder given"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        process_run(&p, "harness/arrows_png", "%s", bad[i].arguments);
        const char *end = strchr(p.output, '\n');
        ck_assert_msg(p.code == bad[i].code && strstr(p.output, bad[i].line) && end && !end[1], "status %d: %s", p.code,
                      p.output);
    }
    folder_remove(folder);
}
END_TEST

Suite *check_arrows(void);
Suite *check_arrows(void)
{
    Suite *suite = suite_create("arrows");
    TCase *all = tcase_create("task");
    tcase_add_test(all, label_follows_from_the_cells);
    tcase_add_test(all, adjacent_means_next_to_it);
    tcase_add_test(all, draws_are_uniform);
    tcase_add_test(all, bag_of_tokens_ceiling);
    tcase_add_test(all, few_letters_are_a_random_subset);
    tcase_add_test(all, streams_and_seeds_differ);
    tcase_add_test(all, glyphs_are_turned);
    tcase_add_test(all, data_set);
    tcase_add_test(all, what_does_not_fit_is_refused);
    tcase_add_test(all, pictures_for_people);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return suite;
}
