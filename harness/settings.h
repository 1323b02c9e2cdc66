/* settings.h: the options of a training run. The table in settings.c is the one place where they are named, bounded and
 * explained.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_SETTINGS_H
#define HARNESS_SETTINGS_H

#include "io/config.h"

/* In the order of the words in the table; those of the model are vit.h's. */
typedef enum settings_set { SET_ARROWS, SET_CIFAR100 } settings_set;
typedef enum settings_optimizer { OPTIMIZER_ADAM, OPTIMIZER_ADAMW } settings_optimizer;
typedef enum settings_schedule { SCHEDULE_CONSTANT, SCHEDULE_COSINE_STEP, SCHEDULE_COSINE_EPOCH } settings_schedule;

typedef struct settings {
    char name[CONFIG_TEXT_SIZE], out[CONFIG_TEXT_SIZE];
    int64_t seed, threads;

    int set; /* settings_set */
    char folder[CONFIG_TEXT_SIZE];
    int64_t loader_threads, loader_ahead;
    bool augment;

    int64_t grid, arrows, letters;
    bool adjacent;
    config_list test_grids;
    int64_t test_examples, test_seed;

    int64_t patch, dim, depth, heads, head_dim, mlp_dim;
    double dropout;
    int pool;

    int encoding;
    int64_t tile;
    int rotations;
    bool per_layer, per_head;
    double generator_factor, table_std;
    int method;

    int64_t batch, epochs, examples;
    int optimizer;
    double rate, beta1, beta2, epsilon, weight_decay;
    int schedule;
    int64_t warmup;

    int64_t evaluate_every, evaluate_batch;
    int64_t checkpoint_every;
    int64_t log_window, log_seconds;
    bool progress;
} settings;

extern const config_table settings_table;

#endif
