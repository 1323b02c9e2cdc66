/* loader.c: a ring of batches. Batch k lives in slot k mod ahead; a thread that claims k waits until the slot is free, the
 * consumer waits until it is full. Numbers are claimed in order, so batch k is always in work before k + 1.
 * SPDX-License-Identifier: MIT */
#include "data/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

loader_range loader_locate(const dataset *set, const loader_plan *plan, int64_t step)
{
    loader_range r = {0};
    int64_t epoch_examples = plan->examples;
    if (set->count > 0) {
        int64_t steps = loader_steps_per_epoch(set, plan);
        r.epoch = (uint32_t)(step / steps);
        r.before = step / steps * set->count;
        step %= steps;
        epoch_examples = set->count;
    }
    r.first = step * plan->batch;
    r.before += r.first;
    int64_t left = epoch_examples - r.first;
    if (left > plan->examples - r.before)
        left = plan->examples - r.before;
    r.count = left < 0 ? 0 : left < plan->batch ? (int)left : plan->batch;
    return r;
}

int64_t loader_steps_per_epoch(const dataset *set, const loader_plan *plan)
{
    int64_t examples = set->count > 0 ? set->count : plan->examples;
    return (examples + plan->batch - 1) / plan->batch;
}

int64_t loader_steps(const dataset *set, const loader_plan *plan)
{
    if (set->count == 0)
        return loader_steps_per_epoch(set, plan);
    int64_t rest = plan->examples % set->count;
    return plan->examples / set->count * loader_steps_per_epoch(set, plan) + (rest + plan->batch - 1) / plan->batch;
}

typedef struct slot {
    loader_batch batch;
    bool full, good;
    fault f;
} slot;

struct loader {
    const dataset *set;
    loader_plan plan;
    int ahead, threads;
    slot *ring;
    pthread_t *thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    int64_t claimed; /* next batch to be made */
    int64_t next;    /* next batch to be handed out */
    int64_t steps;
    bool lent; /* batch next - 1 is with the consumer */
    bool stop;
};

static bool fill(const loader *l, slot *s, int64_t step)
{
    loader_batch *b = &s->batch;
    b->step = step;
    b->range = loader_locate(l->set, &l->plan, step);
    size_t floats = dataset_floats(l->set);
    for (int i = 0; i < b->range.count; i++) {
        uint64_t position = (uint64_t)(b->range.first + i);
        if (l->plan.shuffle && l->set->count > 0)
            position = random_permute(position, (uint64_t)l->set->count, l->plan.seed, RANDOM_ORDER, b->range.epoch);
        b->sample[i] = position;
        if (!l->set->get(l->set, position, b->range.epoch, b->images + (size_t)i * floats, &b->labels[i], &s->f))
            return false;
    }
    return true;
}

static void *work(void *argument)
{
    loader *l = argument;
    pthread_mutex_lock(&l->mutex);
    while (!l->stop && l->claimed < l->steps) {
        int64_t step = l->claimed++;
        while (!l->stop && step - (l->next - l->lent) >= l->ahead)
            pthread_cond_wait(&l->emptied, &l->mutex);
        if (l->stop)
            break;
        slot *s = &l->ring[step % l->ahead];
        pthread_mutex_unlock(&l->mutex);
        bool good = fill(l, s, step);
        pthread_mutex_lock(&l->mutex);
        s->good = good;
        s->full = true;
        pthread_cond_broadcast(&l->filled);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

const loader_batch *loader_next(loader *l, fault *f)
{
    const loader_batch *batch = NULL;
    pthread_mutex_lock(&l->mutex);
    if (l->lent) {
        l->ring[(l->next - 1) % l->ahead].full = false;
        l->lent = false;
        pthread_cond_broadcast(&l->emptied);
    }
    if (l->next < l->steps) {
        slot *s = &l->ring[l->next % l->ahead];
        while (!s->full)
            pthread_cond_wait(&l->filled, &l->mutex);
        if (s->good) {
            l->next++;
            l->lent = true;
            batch = &s->batch;
        } else {
            *f = s->f;
        }
    } else {
        f->text[0] = 0;
    }
    pthread_mutex_unlock(&l->mutex);
    return batch;
}

static bool allocate(loader *l)
{
    size_t batch = (size_t)l->plan.batch, floats = dataset_floats(l->set);
    l->ring = calloc((size_t)l->ahead, sizeof *l->ring);
    l->thread = calloc((size_t)l->threads, sizeof *l->thread);
    bool good = l->ring && l->thread;
    for (int i = 0; i < l->ahead && good; i++) {
        loader_batch *b = &l->ring[i].batch;
        b->images = malloc(batch * floats * sizeof *b->images);
        b->labels = malloc(batch * sizeof *b->labels);
        b->sample = malloc(batch * sizeof *b->sample);
        good = b->images && b->labels && b->sample;
    }
    return good;
}

loader *loader_create(const dataset *set, const loader_plan *plan, int64_t first_step, int threads, int ahead, fault *f)
{
    loader *l = calloc(1, sizeof *l);
    if (!l) {
        fault_set(f, "loader: out of memory");
        return NULL;
    }
    *l = (loader){.set = set,
                  .plan = *plan,
                  .ahead = ahead,
                  .threads = threads,
                  .claimed = first_step,
                  .next = first_step,
                  .steps = loader_steps(set, plan)};
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->emptied, NULL);
    bool good = allocate(l);
    l->threads = 0;
    while (good && l->threads < threads) {
        good = pthread_create(&l->thread[l->threads], NULL, work, l) == 0;
        l->threads += good;
    }
    if (good)
        return l;
    fault_set(f, "loader: no memory or threads for %d batches of %d images", ahead, plan->batch);
    loader_destroy(l);
    return NULL;
}

void loader_destroy(loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->mutex);
    l->stop = true;
    pthread_cond_broadcast(&l->emptied);
    pthread_mutex_unlock(&l->mutex);
    for (int i = 0; i < l->threads; i++)
        pthread_join(l->thread[i], NULL);
    for (int i = 0; l->ring && i < l->ahead; i++) {
        free(l->ring[i].batch.images);
        free(l->ring[i].batch.labels);
        free(l->ring[i].batch.sample);
    }
    pthread_cond_destroy(&l->emptied);
    pthread_cond_destroy(&l->filled);
    pthread_mutex_destroy(&l->mutex);
    free(l->ring);
    free(l->thread);
    free(l);
}
