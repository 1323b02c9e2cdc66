/* SPDX-License-Identifier: MIT */
#include "tests/cuda_kernel.h"
#include <csignal>
#include <cstdlib>
#include <omp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

std::string last_words(void (*action)())
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        omp_set_num_threads(1); /* those of the parent are not here */
        dup2(ends[1], STDERR_FILENO);
        action();
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    std::string words;
    char piece[512];
    for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;)
        words.append(piece, size_t(got));
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) || words.find("AddressSanitizer") != words.npos,
                  "status %d, and it said: %s", status, words.c_str());
    return words;
}
