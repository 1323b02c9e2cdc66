/* train.c: the program that trains: config and flags in, a folder with the run out.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/flags.h"
#include "settings.h"
#include "trainer.h"
#include "wait_policy.h"

static void stop(int signal_number)
{
    (void)signal_number;
    trainer_stop = 1;
}

static void help(void)
{
    printf(
        "train CONFIG.ini [--set section.key=value]... [--data DIR] [--out DIR] [--resume] [--threads N]\n"
        "train --resume --out DIR          go on with the config.ini of that run\n\n"
        "  --set       change one option; --data, --out and --threads are short for data.folder, run.out and run.threads\n"
        "  --resume    go on from the newest whole checkpoint of the folder, or start if it has none\n"
        "  --help      this text\n\n"
        "Options, in CONFIG.ini as [section] and key = value, or by --set. Later ones win: defaults, file, --set, flags.\n\n");
    config_help(&settings_table, stdout);
}

typedef struct arguments {
    const char *config, *data, *out, *threads;
    const char **set;
    int sets;
    bool resume, help;
} arguments;

static bool parse(int argc, char **argv, arguments *a, fault *f)
{
    static const struct option flags[] = {{"set", required_argument, NULL, 's'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"resume", no_argument, NULL, 'r'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int flag; (flag = flags_next(argc, argv, flags, f)) != -1;) {
        switch (flag) {
        case 's':
            a->set[a->sets++] = optarg;
            break;
        case 'd':
            a->data = optarg;
            break;
        case 'o':
            a->out = optarg;
            break;
        case 'r':
            a->resume = true;
            break;
        case 't':
            a->threads = optarg;
            break;
        case 'h':
            a->help = true;
            break;
        default:
            return false;
        }
    }
    if (optind < argc)
        a->config = argv[optind++];
    if (optind < argc)
        return fault_set(f, "%s: one config is wanted, this is a second one", argv[optind]);
    return a->help || a->config || (a->resume && a->out) || fault_set(f, "no config given; see --help");
}

static bool resolve(const arguments *a, settings *s, fault *f)
{
    char own[CONFIG_TEXT_SIZE + 16];
    const char *config = a->config;
    if (!config) {
        snprintf(own, sizeof own, "%s/config.ini", a->out);
        config = own;
    }
    if (!config_defaults(&settings_table, s, f) || !config_read(&settings_table, s, config, f))
        return false;
    for (int i = 0; i < a->sets; i++)
        if (!config_set(&settings_table, s, a->set[i], f))
            return false;
    return config_flag(&settings_table, s, "--data", "data", "folder", a->data, f) &&
           config_flag(&settings_table, s, "--out", "run", "out", a->out, f) &&
           config_flag(&settings_table, s, "--threads", "run", "threads", a->threads, f);
}

int main(int argc, char **argv)
{
    wait_policy_passive(argv);
    fault f = {""};
    settings s;
    arguments a = {.set = calloc((size_t)argc, sizeof *a.set)};
    if (!a.set || !parse(argc, argv, &a, &f) || (!a.help && !resolve(&a, &s, &f))) {
        fprintf(stderr, "train: %s\n", a.set ? f.text : "out of memory");
        free(a.set);
        return 2;
    }
    free(a.set);
    if (a.help) {
        help();
        return EXIT_SUCCESS;
    }
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}; /* a second signal ends at once */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit then shows as a failed write */

    char folder[CONFIG_TEXT_SIZE + 8];
    trainer_folder(&s, folder);
    trainer_end end = trainer_run(&s, a.resume, &f);
    switch (end) {
    case TRAINER_DONE:
        fprintf(stderr, "train: done, see %s/result.json\n", folder);
        return EXIT_SUCCESS;
    case TRAINER_STOPPED:
        fprintf(stderr, "train: stopped by a signal, checkpoint written; go on with: train --resume --out %s\n", folder);
        return EXIT_SUCCESS;
    case TRAINER_REFUSED:
    case TRAINER_FAILED:
        fprintf(stderr, "train: %s\n", f.text);
    }
    return end == TRAINER_REFUSED ? 2 : EXIT_FAILURE;
}
