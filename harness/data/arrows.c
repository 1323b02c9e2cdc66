/* SPDX-License-Identifier: MIT */
#include "data/arrows.h"

#include <stdlib.h>
#include <string.h>

#include "data/glyphs.h"

static const int row_step[ARROWS_DIRECTIONS] = {-1, 0, 1, 0};
static const int column_step[ARROWS_DIRECTIONS] = {0, 1, 0, -1};

const char *arrows_direction_name(arrows_direction direction)
{
    static const char *const name[] = {"up", "right", "down", "left"};
    return name[direction];
}

/* Places the Y, and the target at the foot of it. Pair number i of the 4 g (g-1) pairs (position, direction) with room: the Y
 * stands in one of the g lines along the direction, at one of the g-1 places that are 1..g-1 cells away from the border. */
static void draw_question(const arrows_options *o, random_sequence *s, arrows_scene *scene)
{
    uint32_t g = (uint32_t)o->grid;
    uint32_t pair = random_below(s, ARROWS_DIRECTIONS * g * (g - 1));
    arrows_direction direction = (arrows_direction)(pair % ARROWS_DIRECTIONS);
    int line = (int)(pair / ARROWS_DIRECTIONS % g);
    int room = (int)(pair / ARROWS_DIRECTIONS / g) + 1;
    int distance = o->adjacent ? 1 : 1 + (int)random_below(s, (uint32_t)room);

    bool forward = direction == ARROWS_DOWN || direction == ARROWS_RIGHT;
    int place = forward ? o->grid - 1 - room : room;
    bool vertical = column_step[direction] == 0;
    int row = vertical ? place : line, column = vertical ? line : place;
    scene->y = row * o->grid + column;
    scene->target = (row + distance * row_step[direction]) * o->grid + column + distance * column_step[direction];
    scene->label = (arrows_direction)random_below(s, ARROWS_DIRECTIONS);
    scene->cell[scene->y] = (uint8_t)(ARROWS_Y + direction);
    scene->cell[scene->target] = (uint8_t)(ARROWS_ARROW + scene->label);
}

/* The cells that may take another object: not Y, not target, not between them. */
static uint32_t free_cells(const arrows_scene *scene, uint16_t *cell)
{
    int g = scene->grid;
    int low_row = scene->y / g < scene->target / g ? scene->y / g : scene->target / g;
    int high_row = scene->y / g + scene->target / g - low_row;
    int low_column = scene->y % g < scene->target % g ? scene->y % g : scene->target % g;
    int high_column = scene->y % g + scene->target % g - low_column;
    uint32_t count = 0;
    for (int row = 0; row < g; row++)
        for (int column = 0; column < g; column++)
            if (row < low_row || row > high_row || column < low_column || column > high_column)
                cell[count++] = (uint16_t)(row * g + column);
    return count;
}

/* Takes one of *count numbers out of the list. */
static uint16_t take(random_sequence *s, uint16_t *list, uint32_t *count)
{
    uint32_t i = random_below(s, *count);
    uint16_t taken = list[i];
    list[i] = list[--*count];
    return taken;
}

void arrows_draw(const arrows_options *o, uint64_t sample, arrows_scene *scene)
{
    random_sequence s = random_start(o->seed, o->stream, (uint32_t)o->grid, sample);
    scene->grid = o->grid;
    memset(scene->cell, ARROWS_EMPTY, (size_t)(o->grid * o->grid));
    draw_question(o, &s, scene);

    uint16_t cell[ARROWS_GRID_MAX * ARROWS_GRID_MAX], letter[] = {0, 1, 2, 3, 4};
    uint32_t cells = free_cells(scene, cell), letters = 5;
    for (int i = 1; i < o->arrows; i++)
        scene->cell[take(&s, cell, &cells)] = (uint8_t)(ARROWS_ARROW + random_below(&s, ARROWS_DIRECTIONS));
    for (int i = 1; i < o->letters; i++)
        scene->cell[take(&s, cell, &cells)] = (uint8_t)(ARROWS_LETTER + take(&s, letter, &letters));
}

/* Pixel (row, column) of the glyph turned by so many quarter turns clockwise. */
static bool ink(const char *const glyph[ARROWS_CELL], int turns, int row, int column)
{
    for (int i = 0; i < turns; i++) {
        int turned_row = ARROWS_CELL - 1 - column;
        column = row;
        row = turned_row;
    }
    return glyph[row][column] == '#';
}

static void render_cell(int content, float *image, size_t width)
{
    const char *const *glyph = glyph_letters[0];
    int turns = 0;
    if (content >= ARROWS_LETTER) {
        glyph = glyph_letters[content - ARROWS_LETTER];
    } else if (content >= ARROWS_Y) {
        glyph = glyph_y;
        turns = (content - ARROWS_Y + ARROWS_DIRECTIONS - ARROWS_DOWN) % ARROWS_DIRECTIONS;
    } else if (content >= ARROWS_ARROW) {
        glyph = glyph_arrow;
        turns = content - ARROWS_ARROW;
    }
    for (int row = 0; row < ARROWS_CELL; row++)
        for (int column = 0; column < ARROWS_CELL; column++)
            image[(size_t)row * width + (size_t)column] =
                content != ARROWS_EMPTY && ink(glyph, turns, row, column) ? 1.0f : -1.0f;
}

void arrows_render(const arrows_scene *scene, float *image)
{
    size_t width = (size_t)scene->grid * ARROWS_CELL;
    for (int row = 0; row < scene->grid; row++)
        for (int column = 0; column < scene->grid; column++)
            render_cell(scene->cell[row * scene->grid + column],
                        image + (size_t)row * ARROWS_CELL * width + (size_t)column * ARROWS_CELL, width);
}

typedef struct arrows_set {
    dataset base;
    arrows_options options;
} arrows_set;

static bool get(const dataset *d, uint64_t sample, uint32_t epoch, float *image, int32_t *label, fault *f)
{
    (void)epoch;
    (void)f;
    const arrows_set *set = (const arrows_set *)d;
    arrows_scene scene;
    arrows_draw(&set->options, sample, &scene);
    size_t plane = (size_t)d->size[0] * (size_t)d->size[1];
    arrows_render(&scene, image);
    memcpy(image + plane, image, plane * sizeof *image);
    memcpy(image + 2 * plane, image, plane * sizeof *image);
    *label = (int32_t)scene.label;
    return true;
}

static void destroy(dataset *d)
{
    free(d);
}

dataset *arrows_create(const arrows_options *o, fault *f)
{
    if (o->grid < 2 || o->grid > ARROWS_GRID_MAX || o->arrows < 1 || o->letters < 1 || o->letters > 6 || o->count < 0) {
        fault_set(f,
                  "arrow task: grid %d, %d arrows, %d letters: a grid of 2..%d, at least 1 arrow and 1..6 letters are wanted",
                  o->grid, o->arrows, o->letters, ARROWS_GRID_MAX);
        return NULL;
    }
    int question = o->adjacent ? 2 : o->grid; /* the most cells that Y, target and the way between them take */
    if (o->arrows - 1 + o->letters - 1 > o->grid * o->grid - question) {
        fault_set(f, "arrow task: %d arrows and %d letters do not always fit a grid of %d x %d; enlarge the grid or take fewer",
                  o->arrows, o->letters, o->grid, o->grid);
        return NULL;
    }
    arrows_set *set = malloc(sizeof *set);
    if (!set) {
        fault_set(f, "arrow task: out of memory");
        return NULL;
    }
    int side = o->grid * ARROWS_CELL;
    set->options = *o;
    set->base = (dataset){
        .count = o->count, .channels = 3, .size = {side, side}, .classes = ARROWS_DIRECTIONS, .get = get, .destroy = destroy};
    return &set->base;
}
