/* task.h: the data and the model that the settings ask for.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_TASK_H
#define HARNESS_TASK_H

#include "data/dataset.h"
#include "data/loader.h"
#include "model/vit.h"
#include "settings.h"

typedef struct task_test {
    char name[32]; /* "8x8", "test" */
    dataset *set;
} task_test;

typedef struct task {
    dataset *train; /* NULL if only the tests were asked for */
    task_test test[CONFIG_LIST_SIZE];
    int tests;
} task;

/* False and a line in *f if the settings are not possible or a file is bad; *t is then empty. */
bool task_create(task *t, const settings *s, bool with_training, fault *f);
void task_destroy(task *t);

/* How the training examples are dealt out. */
loader_plan task_plan(const task *t, const settings *s);

/* The learning rate of a step, counted from 0. */
double task_rate(const task *t, const settings *s, int64_t step);

/* What the model is told; the training image is given by the task, not by the data at hand. */
vit_config task_model(const settings *s);

/* One line if a test set has images that the model cannot take. */
bool task_check_sizes(const task *t, const vit *model, fault *f);

#endif
