/* child.c: see child.h. SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cores.h"

static void copy_clean(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%.*s", (int)strcspn(from, "\n"), from);
    for (char *c = to; *c; c++)
        if (*c == ',' || *c == '"')
            *c = *c == ',' ? ';' : '\'';
}

static void read_complaint(const child *c, char *to, size_t size)
{
    char line[1024];
    FILE *file = fopen(c->complaints, "r");
    copy_clean(to, size, "it says nothing");
    while (file && fgets(line, sizeof line, file))
        if (*line != '\n')
            copy_clean(to, size, line);
    if (file)
        fclose(file);
}

__attribute__((noreturn)) static void become(const child *c, const char *const *command, int in, int out)
{
    int complaints = open(c->complaints, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (complaints >= 0)
        dup2(complaints, STDERR_FILENO);
    cores_give_back();
    execvp(command[0], (char *const *)command);
    fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static void close_pipes(child *c)
{
    fclose(c->to);
    fclose(c->from);
    c->to = c->from = NULL;
}

bool child_start(child *c, const char *name, const char *const *command, const char *folder)
{
    int orders[2], answers[2];
    char line[1024];
    *c = (child){.name = name};
    snprintf(c->complaints, sizeof c->complaints, "%s/%s.stderr", folder, name);
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0 || (c->process = fork()) < 0) {
        perror("peer_ratios");
        exit(EXIT_FAILURE);
    }
    if (c->process == 0)
        become(c, command, orders[0], answers[1]);
    close(orders[0]);
    close(answers[1]);
    c->to = fdopen(orders[1], "w");
    c->from = fdopen(answers[0], "r");
    if (!c->to || !c->from) {
        perror("peer_ratios");
        exit(EXIT_FAILURE);
    }
    if (fgets(line, sizeof line, c->from) && strncmp(line, "peer ", 5) == 0) {
        copy_clean(c->version, sizeof c->version, line + 5);
        return true;
    }
    child_stop(c);
    read_complaint(c, c->version, sizeof c->version);
    return false;
}

static volatile sig_atomic_t interrupted;

static void note(int signal)
{
    interrupted = signal;
}

void child_heed_signals(void)
{
    struct sigaction action = {.sa_handler = note}; /* without SA_RESTART: reading an answer ends */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that ended is reported by child_ask() */
}

/* Stops what is left of a peer that does not answer and says why it ended, as far as one can know. */
static void bury(child *c)
{
    char complaint[256];
    int status = 0;
    kill(c->process, SIGTERM);
    close_pipes(c);
    waitpid(c->process, &status, 0);
    read_complaint(c, complaint, sizeof complaint);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM;
    fprintf(stderr, "peer_ratios: the peer %s ended%s%s: %s\n", c->name, killed ? " by signal: " : "",
            killed ? strsignal(WTERMSIG(status)) : "", complaint);
}

bool child_ask(child *c, char *reply, size_t size, const char *format, ...)
{
    if (child_ended(c))
        return false;
    va_list list;
    va_start(list, format);
    bool asked = !interrupted && vfprintf(c->to, format, list) > 0 && fputc('\n', c->to) != EOF && fflush(c->to) == 0;
    va_end(list);
    if (asked && fgets(reply, (int)size, c->from) && !interrupted) {
        reply[strcspn(reply, "\n")] = '\0';
        return true;
    }
    if (interrupted) {
        kill(c->process, SIGTERM);
        fprintf(stderr, "peer_ratios: interrupted\n");
        exit(EXIT_FAILURE);
    }
    bury(c);
    return false;
}

bool child_ended(const child *c)
{
    return !c->to;
}

void child_stop(child *c)
{
    if (child_ended(c))
        return;
    close_pipes(c);
    waitpid(c->process, NULL, 0);
}
