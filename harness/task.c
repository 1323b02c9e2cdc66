/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <math.h>
#include <stdio.h>

#include "data/arrows.h"
#include "data/cifar.h"

static dataset *arrows_set(const settings *s, int64_t grid, bool test, fault *f)
{
    return arrows_create(&(arrows_options){.grid = (int)grid,
                                           .arrows = (int)s->arrows,
                                           .letters = (int)s->letters,
                                           .adjacent = s->adjacent,
                                           .seed = (uint64_t)(test ? s->test_seed : s->seed),
                                           .stream = test ? RANDOM_ARROWS_TEST : RANDOM_ARROWS,
                                           .count = test ? s->test_examples : 0},
                         f);
}

static dataset *cifar100_set(const settings *s, bool train, fault *f)
{
    return cifar100_create(
        &(cifar_options){.folder = s->folder, .train = train, .augment = train && s->augment, .seed = (uint64_t)s->seed}, f);
}

static bool check_training(const settings *s, fault *f)
{
    if (s->epochs == 0 && s->examples == 0)
        return fault_set(f, "train.epochs and train.examples are both 0; set one of them");
    if (s->set == SET_ARROWS && s->epochs > 0)
        return fault_set(f, "train.epochs = %lld: the arrow task is endless; set train.examples, and train.epochs = 0",
                         (long long)s->epochs);
    if (s->set == SET_ARROWS && s->schedule == SCHEDULE_COSINE_EPOCH)
        return fault_set(f, "train.schedule = cosine_epoch: the arrow task has no epochs; use cosine_step or constant");
    return true;
}

bool task_create(task *t, const settings *s, bool with_training, fault *f)
{
    *t = (task){0};
    if (with_training && !check_training(s, f))
        return false;
    bool good = true;
    if (s->set == SET_ARROWS) {
        if (with_training)
            good = (t->train = arrows_set(s, s->grid, false, f)) != NULL;
        for (int i = 0; i < s->test_grids.count && good; i++) {
            task_test *test = &t->test[i];
            snprintf(test->name, sizeof test->name, "%dx%d", (int)s->test_grids.value[i], (int)s->test_grids.value[i]);
            good = (test->set = arrows_set(s, s->test_grids.value[i], true, f)) != NULL;
            t->tests += good;
        }
    } else {
        if (with_training)
            good = (t->train = cifar100_set(s, true, f)) != NULL;
        if (good) {
            snprintf(t->test[0].name, sizeof t->test[0].name, "test");
            good = (t->test[0].set = cifar100_set(s, false, f)) != NULL;
            t->tests = good;
        }
    }
    if (!good)
        task_destroy(t);
    return good;
}

void task_destroy(task *t)
{
    if (t->train)
        t->train->destroy(t->train);
    for (int i = 0; i < t->tests; i++)
        t->test[i].set->destroy(t->test[i].set);
    *t = (task){0};
}

loader_plan task_plan(const task *t, const settings *s)
{
    return (loader_plan){.batch = (int)s->batch,
                         .examples = s->epochs > 0 ? s->epochs * t->train->count : s->examples,
                         .shuffle = true,
                         .seed = (uint64_t)s->seed};
}

double task_rate(const task *t, const settings *s, int64_t step)
{
    loader_plan plan = task_plan(t, s);
    int64_t steps = loader_steps(t->train, &plan), epoch_steps = loader_steps_per_epoch(t->train, &plan);
    if (step < s->warmup)
        return s->rate * (double)(step + 1) / (double)s->warmup;
    double progress = 0;
    if (s->schedule == SCHEDULE_COSINE_STEP)
        progress = (double)(step - s->warmup) / (double)(steps - s->warmup);
    else if (s->schedule == SCHEDULE_COSINE_EPOCH)
        progress = (double)(step / epoch_steps) / (double)((steps + epoch_steps - 1) / epoch_steps);
    return s->rate * 0.5 * (1 + cos(3.14159265358979323846 * progress));
}

vit_config task_model(const settings *s)
{
    int side = s->set == SET_ARROWS ? (int)s->grid * ARROWS_CELL : 32;
    vit_config c = vit_config_default();
    c.dims = 2;
    c.size[0] = c.size[1] = side;
    c.patch[0] = c.patch[1] = (int)s->patch;
    c.size[2] = c.patch[2] = 1;
    c.channels = 3;
    c.classes = s->set == SET_ARROWS ? ARROWS_DIRECTIONS : 100;
    c.dim = (int)s->dim;
    c.depth = (int)s->depth;
    c.heads = (int)s->heads;
    c.head_dim = (int)s->head_dim;
    c.mlp_dim = (int)s->mlp_dim;
    c.dropout = (float)s->dropout;
    c.pool = (vit_pool)s->pool;
    c.encoding = (vit_encoding)s->encoding;
    c.tile = s->tile > 0 ? (int)s->tile : (int)s->head_dim;
    c.per_layer = s->per_layer;
    c.per_head = s->per_head;
    c.rotations = (vit_rotations)s->rotations;
    c.generator_factor = (float)s->generator_factor;
    c.table_std = (float)s->table_std;
    c.method = (so_method)s->method;
    c.seed = (uint64_t)s->seed;
    return c;
}

bool task_check_sizes(const task *t, const vit *model, fault *f)
{
    for (int i = 0; i < t->tests; i++) {
        const char *problem = vit_size_error(model, (int[3]){t->test[i].set->size[0], t->test[i].set->size[1], 1});
        if (problem)
            return fault_set(f, "test set %s: %s", t->test[i].name, problem);
    }
    return true;
}
