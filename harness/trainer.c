/* SPDX-License-Identifier: MIT */
#include "trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "io/file.h"
#include "io/progress.h"
#include "trainer_state.h"

volatile sig_atomic_t trainer_stop;

void trainer_folder(const settings *s, char folder[CONFIG_TEXT_SIZE + 8])
{
    if (s->out[0])
        snprintf(folder, CONFIG_TEXT_SIZE + 8, "%s", s->out);
    else
        snprintf(folder, CONFIG_TEXT_SIZE + 8, "runs/%s", s->name);
}

static void path_in(const trainer *t, const char *name, char path[CONFIG_TEXT_SIZE + 32])
{
    snprintf(path, CONFIG_TEXT_SIZE + 32, "%s/%s", t->folder, name);
}

static bool create_model(trainer *t, fault *f)
{
    char problem[VIT_ERROR_SIZE];
    vit_config c = task_model(t->s);
    t->device = ops_create_cpu((int)t->s->threads);
    if (!t->device)
        return fault_set(f, "cannot create the CPU device with %" PRId64 " threads", t->s->threads);
    t->model = vit_create(t->device, &c, problem);
    if (!t->model)
        return fault_set(f, "model: %s", problem);
    return task_check_sizes(&t->task, t->model, f);
}

/* Makes the folder, takes up the newest checkpoint, writes config.ini, opens the log. */
static bool enter_folder(trainer *t, bool resume, fault *f)
{
    char log[CONFIG_TEXT_SIZE + 32], config[CONFIG_TEXT_SIZE + 32];
    path_in(t, "log.jsonl", log);
    path_in(t, "config.ini", config);
    if (!file_make_folder(t->folder, f))
        return false;
    if (!resume && (access(log, F_OK) == 0 || checkpoint_latest_step(t->folder) >= 0))
        return fault_set(f, "%s: already holds a run; go on with it by --resume or choose another --out", t->folder);
    bool found = false;
    if (resume && !trainer_restore(t, &found, f))
        return false;
    if (found)
        fprintf(stderr, "train: %s: going on at step %" PRId64 " of %" PRId64 "\n", t->folder, t->step, t->steps);
    else if (resume)
        fprintf(stderr, "train: %s: no checkpoint yet, starting at step 0\n", t->folder);
    char *text = config_text(&settings_table, t->s);
    if (!text)
        return fault_set(f, "%s: out of memory", config);
    bool good = file_write_atomic(config, &(file_part){text, strlen(text)}, 1, f);
    free(text);
    return good && (t->log = log_open(log, COMMIT, t->s->seed, t->log_bytes, f)) != NULL;
}

/* Ends the window of training examples: a line in the log, and the take-off if this is it. */
static bool close_window(trainer *t, int64_t epoch, double rate, fault *f)
{
    t->last_loss = t->window_loss / (double)t->window_seen;
    t->last_accuracy = (double)t->window_correct / (double)t->window_seen;
    if (t->takeoff < 0 && t->last_accuracy > 0.5)
        t->takeoff = t->examples;
    log_line line = {.kind = "train",
                     .set = "train",
                     .step = t->step,
                     .examples = t->examples,
                     .epoch = epoch,
                     .n = t->window_seen,
                     .correct = t->window_correct,
                     .loss = t->last_loss,
                     .rate = rate,
                     .seconds = t->seconds};
    t->window_seen = t->window_correct = 0;
    t->window_loss = 0;
    return log_write(t->log, &line, f);
}

/* All test sets, each with a line in the log. stop: NULL, or what makes it end between two batches with an empty *f. */
static bool run_tests(trainer *t, int64_t epoch, double rate, const volatile sig_atomic_t *stop, score *scores, fault *f)
{
    scoring how = {.batch = (int)t->s->evaluate_batch, .threads = (int)t->s->loader_threads, .stop = stop};
    for (int i = 0; i < t->task.tests; i++) {
        if (!score_model(t->model, t->task.test[i].set, &how, NULL, &scores[i], f))
            return false;
        log_line line = {.kind = "test",
                         .set = t->task.test[i].name,
                         .step = t->step,
                         .examples = t->examples,
                         .epoch = epoch,
                         .n = scores[i].n,
                         .correct = scores[i].correct,
                         .loss = scores[i].loss,
                         .rate = rate,
                         .seconds = t->seconds};
        if (!log_write(t->log, &line, f))
            return false;
    }
    return true;
}

static bool train_step(trainer *t, const loader_batch *b, vit_score *result, fault *f)
{
    const settings *s = t->s;
    const ops_adam adam = {.beta1 = (float)s->beta1,
                           .beta2 = (float)s->beta2,
                           .eps = (float)s->epsilon,
                           .weight_decay = (float)s->weight_decay,
                           .decoupled = s->optimizer == OPTIMIZER_ADAMW};
    vit_forward(t->model, &(vit_batch){.batch = b->range.count,
                                       .size = {t->task.train->size[0], t->task.train->size[1], 1},
                                       .images = b->images,
                                       .labels = b->labels,
                                       .training = true,
                                       .epoch = b->range.epoch,
                                       .sample = b->sample});
    *result = vit_loss(t->model);
    if (!isfinite(result->loss)) {
        int64_t saved = checkpoint_latest_step(t->folder);
        fault_set(f, "step %" PRId64 ": the loss is %g: the model has diverged; lower train.rate or lengthen train.warmup. ",
                  t->step + 1, result->loss);
        size_t used = strlen(f->text);
        if (saved >= 0)
            snprintf(f->text + used, sizeof f->text - used, "The checkpoint of step %" PRId64 " is kept in %s", saved,
                     t->folder);
        else
            snprintf(f->text + used, sizeof f->text - used, "There is no checkpoint yet");
        return false;
    }
    vit_zero_gradients(t->model);
    vit_backward(t->model, 1);
    vit_adam_step(t->model, &adam, (float)task_rate(&t->task, s, t->step), t->step + 1);
    return true;
}

/* True when `examples` has passed a multiple of `every` within the last batch. */
static bool due(int64_t every, int64_t before, int64_t examples)
{
    return every > 0 && before / every != examples / every;
}

/* From t->step to the end of the run or to trainer_stop. */
static bool train_steps(trainer *t, loader *l, fault *f)
{
    progress p = progress_start(t->s->progress, (double)t->s->log_seconds, t->examples, t->plan.examples);
    score scores[CONFIG_LIST_SIZE];
    bool good = true;
    int64_t saved = -1;
    while (good && t->step < t->steps && !trainer_stop) {
        double start = progress_clock();
        const loader_batch *b = loader_next(l, f);
        vit_score result;
        good = b && train_step(t, b, &result, f);
        if (!good)
            break;
        int64_t before = t->examples, epoch = b->range.epoch;
        double rate = task_rate(&t->task, t->s, t->step);
        t->step++;
        t->examples += b->range.count;
        t->window_seen += b->range.count;
        t->window_correct += result.correct;
        t->window_loss += result.loss * b->range.count;
        t->seconds += progress_clock() - start;
        progress_show(&p, t->step, t->examples, t->window_loss / (double)t->window_seen,
                      (double)t->window_correct / (double)t->window_seen);
        if (t->window_seen >= t->s->log_window || t->step == t->steps)
            good = close_window(t, epoch, rate, f);
        if (good && t->step < t->steps && due(t->s->evaluate_every, before, t->examples))
            good = run_tests(t, epoch, rate, NULL, scores, f);
        if (good && t->s->checkpoint_every > 0 && t->step % t->s->checkpoint_every == 0) {
            good = trainer_save(t, f);
            saved = t->step;
        }
    }
    progress_end(&p);
    return good && (saved == t->step || trainer_save(t, f));
}

static trainer_end train_and_test(trainer *t, fault *f)
{
    loader *l = loader_create(t->task.train, &t->plan, t->step, (int)t->s->loader_threads, (int)t->s->loader_ahead, f);
    bool good = l && train_steps(t, l, f);
    loader_destroy(l);
    if (!good)
        return TRAINER_FAILED;
    if (t->step < t->steps)
        return TRAINER_STOPPED;
    score scores[CONFIG_LIST_SIZE] = {{0}};
    loader_range last = loader_locate(t->task.train, &t->plan, t->step - 1);
    if (!run_tests(t, last.epoch, task_rate(&t->task, t->s, t->step - 1), &trainer_stop, scores, f))
        return f->text[0] ? TRAINER_FAILED : TRAINER_STOPPED;
    return trainer_write_model(t, f) && trainer_write_result(t, scores, f) ? TRAINER_DONE : TRAINER_FAILED;
}

trainer_end trainer_run(const settings *s, bool resume, fault *f)
{
    trainer t = {.s = s, .takeoff = -1};
    trainer_end end = TRAINER_REFUSED;
    f->text[0] = 0;
    trainer_folder(s, t.folder);
    if (task_create(&t.task, s, true, f)) {
        t.plan = task_plan(&t.task, s);
        t.steps = loader_steps(t.task.train, &t.plan);
        if (create_model(&t, f))
            end = enter_folder(&t, resume, f) ? train_and_test(&t, f) : TRAINER_FAILED;
    }
    log_close(t.log);
    vit_destroy(t.model);
    if (t.device)
        t.device->destroy(t.device);
    task_destroy(&t.task);
    return end;
}
