/* check_checkpoint.c: whatever fails or dies while a checkpoint is written, an older whole one is found afterwards.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "io/file.h"
#include "tests/folder.h"

enum { ELEMENTS = 1000, DIED = 42 };

static char folder[64];

static void setup(void)
{
    folder_make(folder);
}

static void teardown(void)
{
    folder_remove(folder);
}

/* A checkpoint whose content tells its step. */
static bool write_step(int64_t step, fault *f)
{
    static float data[ELEMENTS];
    char text[32];
    for (int i = 0; i < ELEMENTS; i++)
        data[i] = (float)step + (float)i / 1024;
    snprintf(text, sizeof text, "%d", (int)step);
    safetensors_tensor tensor = {
        .name = "w", .dtype = SAFETENSORS_F32, .dims = 1, .shape = {ELEMENTS}, .data = data, .bytes = sizeof data};
    return checkpoint_write(folder, step, &tensor, 1, &(safetensors_pair){"step", text}, 1, f);
}

static int reports;
static char reported[1024];

static void report(const char *line)
{
    reports++;
    snprintf(reported, sizeof reported, "%s", line);
}

/* Step of the newest whole checkpoint, its content checked; 0 if there is none. */
static int64_t read_step(void)
{
    fault f = {""};
    checkpoint c;
    reports = 0;
    ck_assert_msg(checkpoint_read_latest(folder, &c, report, &f), "%s", f.text);
    if (!c.file)
        return 0;
    const float *data = safetensors_f32(c.file, "w", ELEMENTS, &f);
    ck_assert_ptr_nonnull(data);
    for (int i = 0; i < ELEMENTS; i++)
        ck_assert(data[i] == (float)c.step + (float)i / 1024);
    ck_assert_int_eq(atoi(safetensors_metadata(c.file, "step")), (int)c.step);
    safetensors_free(c.file);
    return c.step;
}

/* ---- Calls that fail or die at the k-th time ------------------------------------------------------------------------------
 */

typedef enum manner { FAIL, DIE_BEFORE, DIE_AFTER, HALF } manner;

static int left;
static manner how;

/* True when this call is to fail; does not return when it is to die before the call. */
static bool strike(void)
{
    if (--left != 0)
        return false;
    if (how == DIE_BEFORE)
        _exit(DIED);
    return how == FAIL;
}

static void after(void)
{
    if (left == 0 && how == DIE_AFTER)
        _exit(DIED);
}

static ssize_t bad_write(int descriptor, const void *data, size_t bytes)
{
    if (strike()) {
        errno = ENOSPC;
        return -1;
    }
    if (left == 0 && bytes > 1) { /* a write may always take less than it was given */
        ssize_t written = write(descriptor, data, bytes / 2);
        after();
        return written;
    }
    return write(descriptor, data, bytes);
}

static int bad_fsync(int descriptor)
{
    if (strike()) {
        errno = EIO;
        return -1;
    }
    int result = fsync(descriptor);
    after();
    return result;
}

static int bad_rename(const char *from, const char *to)
{
    if (strike()) {
        errno = EACCES;
        return -1;
    }
    int result = rename(from, to);
    after();
    return result;
}

/* Steps 1..5 in a process of their own, struck at call k. *done: the last step that was reported as written. */
static int run_struck(int k, int *done)
{
    pid_t child = fork();
    if (child == 0) {
        fault f = {""};
        left = k;
        file_system = (file_calls){.write = bad_write, .fsync = bad_fsync, .rename = bad_rename};
        for (int step = 1; step <= 5; step++) {
            if (!write_step(step, &f))
                _exit(f.text[0] && !strchr(f.text, '\n') ? 1 : 2);
            *done = step;
        }
        _exit(left > 0 ? 3 : 0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(every_call_may_fail_or_be_the_last)
{
    how = (manner)_i;
    int *done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int k = 1;
    for (;; k++) {
        *done = 0;
        int code = run_struck(k, done);
        if (code == 3) /* fewer than k calls: every one of them had its turn */
            break;
        ck_assert_int_eq(code, how == FAIL ? 1 : how == HALF ? 0 : DIED);
        int64_t found = read_step();
        ck_assert_msg(found >= *done, "call %d: step %d was written, %d is found", k, *done, (int)found);
        ck_assert_int_eq(reports, 0); /* nothing half-written ever has the name of a checkpoint */
        fault f = {""};
        ck_assert_msg(write_step(found + 1, &f), "%s", f.text);
        ck_assert_int_eq(read_step(), found + 1);
        folder_remove(folder);
        ck_assert_int_eq(mkdir(folder, 0777), 0);
    }
    ck_assert_int_gt(k, 5 * 8);
    munmap(done, sizeof *done);
}
END_TEST

/* ---- What is kept, and what is found ----------------------------------------------------------------------------------- */

static void path_of(int step, char path[256])
{
    snprintf(path, 256, "%s/checkpoint-%09d.safetensors", folder, step);
}

START_TEST(the_last_two_are_kept)
{
    fault f = {""};
    char path[256];
    ck_assert_int_eq((int)checkpoint_latest_step(folder), -1);
    for (int step = 10; step <= 50; step += 10) {
        ck_assert(write_step(step, &f));
        ck_assert_int_eq((int)checkpoint_latest_step(folder), step);
        for (int old = 10; old <= step; old += 10) {
            path_of(old, path);
            ck_assert_int_eq(access(path, F_OK) == 0, old > step - 20);
        }
    }
    size_t bytes;
    snprintf(path, sizeof path, "%s/latest", folder);
    char *latest = file_read(path, &bytes, &f);
    ck_assert_str_eq(latest, "checkpoint-000000050.safetensors\n");
    free(latest);
}
END_TEST

static void damage(int step, long place)
{
    char path[256];
    path_of(step, path);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, place, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, place, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

START_TEST(a_damaged_one_is_reported_and_passed_over)
{
    fault f = {""};
    char path[256];
    checkpoint c;
    ck_assert(write_step(1, &f) && write_step(2, &f));
    damage(2, 2000); /* in the data */
    ck_assert_int_eq((int)read_step(), 1);
    ck_assert_int_eq(reports, 1);
    ck_assert_ptr_nonnull(strstr(reported, "checkpoint-000000002.safetensors: damaged"));
    ck_assert(write_step(2, &f));
    ck_assert_int_eq((int)read_step(), 2);
    ck_assert_int_eq(reports, 0);
    path_of(2, path);
    ck_assert_int_eq(truncate(path, 1000), 0);
    ck_assert_int_eq((int)read_step(), 1);
    ck_assert_ptr_nonnull(strstr(reported, "truncated"));
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq((int)read_step(), 1);
    damage(1, 1500);
    ck_assert(!checkpoint_read_latest(folder, &c, report, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "all 2 checkpoints are damaged"));
}
END_TEST

START_TEST(other_names_are_not_checkpoints)
{
    static const char *const names[] = {"checkpoint-1.safetensors", "checkpoint-000000009.safetensors.tmp", "checkpoint-x",
                                        "checkpoint--00000001.safetensors", "model.safetensors"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        folder_write(folder, names[i], "x", 1, path);
    ck_assert_int_eq((int)read_step(), 0);
    ck_assert_int_eq((int)checkpoint_latest_step(folder), -1);
}
END_TEST

START_TEST(missing_folder_and_full_disk)
{
    fault f = {""};
    checkpoint c;
    char kept[64];
    snprintf(kept, sizeof kept, "%s", folder);
    snprintf(folder, sizeof folder, "/nonexistent/folder");
    ck_assert(!write_step(1, &f));
    ck_assert_str_eq(f.text, "/nonexistent/folder/checkpoint-000000001.safetensors: cannot create: No such file or directory; "
                             "the folder is missing");
    ck_assert(!checkpoint_read_latest(folder, &c, report, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "/nonexistent/folder: cannot read this folder"));
    snprintf(folder, sizeof folder, "%s", kept);

    ck_assert(write_step(1, &f));
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 1000, .rlim_max = limit.rlim_max});
    bool written = write_step(2, &f);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert(!written);
    ck_assert_ptr_nonnull(strstr(f.text, "cannot write: File too large; free some space or choose another folder"));
    ck_assert_int_eq((int)read_step(), 1);
    ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(folders)
{
    fault f = {""};
    char path[256], below[300];
    snprintf(path, sizeof path, "%s/a/b/c", folder);
    ck_assert(file_make_folder(path, &f) && file_make_folder(path, &f));
    ck_assert_int_eq(access(path, F_OK), 0);
    folder_write(folder, "file", "x", 1, path);
    ck_assert(!file_make_folder(path, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "a file stands where the folder should be"));
    snprintf(below, sizeof below, "%s/below", path);
    ck_assert(!file_make_folder(below, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "a file stands where the folder should be"));
}
END_TEST

Suite *check_checkpoint(void);
Suite *check_checkpoint(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *all = tcase_create("files");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, every_call_may_fail_or_be_the_last, FAIL, HALF + 1);
    tcase_add_test(all, the_last_two_are_kept);
    tcase_add_test(all, a_damaged_one_is_reported_and_passed_over);
    tcase_add_test(all, other_names_are_not_checkpoints);
    tcase_add_test(all, missing_folder_and_full_disk);
    tcase_add_test(all, folders);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return suite;
}
