/* SPDX-License-Identifier: MIT */
#include "tests/process.h"

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void path_of(const char *name, char path[512])
{
    const char *build = getenv("BUILD");
    snprintf(path, 512, "%s/%s", build ? build : "build", name);
}

bool process_exists(const char *name)
{
    char path[512];
    path_of(name, path);
    if (access(path, X_OK) == 0)
        return true;
    printf("%s is not built: skipped\n", path);
    return false;
}

static void start(process *p, const char *name, const char *format, va_list values)
{
    char path[512], words[4096], *argument[64] = {path};
    path_of(name, path);
    vsnprintf(words, sizeof words, format, values);
    int count = 1;
    for (char *word = strtok(words, " "); word && count < 63; word = strtok(NULL, " "))
        argument[count++] = word;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    p->pid = fork();
    ck_assert_int_ge(p->pid, 0);
    if (p->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = p->file_limit > 0 ? (rlim_t)p->file_limit : limit.rlim_cur;
        setrlimit(RLIMIT_FSIZE, &limit);
        execv(path, argument);
        _exit(127);
    }
    close(ends[1]);
    p->pipe = ends[0];
}

void process_start(process *p, const char *name, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    start(p, name, format, values);
    va_end(values);
}

void process_end(process *p)
{
    size_t used = 0;
    char rest[512];
    for (;;) {
        bool full = used == sizeof p->output - 1;
        ssize_t got = read(p->pipe, full ? rest : p->output + used, full ? sizeof rest : sizeof p->output - 1 - used);
        if (got <= 0)
            break;
        used += full ? 0 : (size_t)got;
    }
    p->output[used] = 0;
    close(p->pipe);
    int status;
    ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int process_run(process *p, const char *name, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    start(p, name, format, values);
    va_end(values);
    process_end(p);
    return p->code;
}
