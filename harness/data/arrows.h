/* arrows.h: the generated task of LieRE's section 5.2: which way does the arrow point that the foot of the Y points to?
 *
 * A grid of cells holds one Y in one of four orientations, arrows, and upright letters A..E. The foot of the Y points along its
 * row or column to the target arrow; the cells between are empty, the cells beyond may hold anything. The label is the
 * direction of the target. What is drawn, each uniformly: position and orientation of the Y among all pairs that leave at
 * least one cell, the distance of the target, the places of all other objects, every arrow's direction.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_DATA_ARROWS_H
#define HARNESS_DATA_ARROWS_H

#include "data/dataset.h"
#include "random.h"

#define ARROWS_CELL 12 /* pixels per side of a cell */
#define ARROWS_GRID_MAX 64

typedef struct arrows_options {
    int grid;      /* cells per side, 2..ARROWS_GRID_MAX */
    int arrows;    /* with the target, >= 1 */
    int letters;   /* with the Y, 1..6 */
    bool adjacent; /* the target is always next to the Y */
    uint64_t seed;
    random_stream stream; /* RANDOM_ARROWS or RANDOM_ARROWS_TEST */
    int64_t count;        /* 0 = endless */
} arrows_options;

typedef enum arrows_direction { ARROWS_UP, ARROWS_RIGHT, ARROWS_DOWN, ARROWS_LEFT, ARROWS_DIRECTIONS } arrows_direction;

/* What a cell holds. ARROWS_Y + d is a Y whose foot points in direction d. */
enum {
    ARROWS_EMPTY,
    ARROWS_ARROW,
    ARROWS_Y = ARROWS_ARROW + ARROWS_DIRECTIONS,
    ARROWS_LETTER = ARROWS_Y + ARROWS_DIRECTIONS,
    ARROWS_GLYPHS = ARROWS_LETTER + 5
};

typedef struct arrows_scene {
    int grid;
    uint8_t cell[ARROWS_GRID_MAX * ARROWS_GRID_MAX]; /* row-major */
    int y, target;                                   /* cells */
    arrows_direction label;
} arrows_scene;

void arrows_draw(const arrows_options *options, uint64_t sample, arrows_scene *scene);

/* Ink +1, ground -1, one channel: (grid * ARROWS_CELL) squared floats. */
void arrows_render(const arrows_scene *scene, float *image);

const char *arrows_direction_name(arrows_direction direction); /* "up" */

/* Three equal channels, as the paper's images have. NULL and a line in *f if the objects may not fit the grid. */
dataset *arrows_create(const arrows_options *options, fault *f);

#endif
