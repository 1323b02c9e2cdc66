/* make_report.c: reads the runs of harness/run_paper.sh and writes results.csv, report.md and the pictures.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/flags.h"
#include "report/results.h"

static const struct {
    struct option option;
    const char *help;
} flags[] = {
    {{"out", required_argument, NULL, 'o'}, "DIR  folder of the runs, EXPERIMENT/ROW-sSEED; results.csv, report.md go there"},
    {{"tables", required_argument, NULL, 't'}, "DIR  folder of experiments.table, rows.table and paper.table"},
    {{"command", required_argument, NULL, 'c'}, "TEXT  the command that made the runs, for the report"},
    {{"device", required_argument, NULL, 'd'}, "NAME  the device of the runs, for the report"},
    {{"seconds", required_argument, NULL, 's'}, "N  wall-clock time of that command, for the report"},
    {{"help", no_argument, NULL, 'h'}, "  this text"},
};
enum { FLAGS = sizeof flags / sizeof *flags };

static void print_help(void)
{
    printf("usage: make_report --out DIR --tables DIR [options]\n"
           "Tables and pictures of the runs in a folder, beside the figures of the paper.\n\n");
    for (int i = 0; i < FLAGS; i++)
        printf("  --%s %s\n", flags[i].option.name, flags[i].help);
}

/* Processor and cores, one line. */
static void describe_machine(char *out, size_t size)
{
    char line[256], name[128] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strstr(line, ": ");
        if (value && strncmp(line, "model name", 10) == 0) {
            value[strcspn(value, "\n")] = '\0';
            snprintf(name, sizeof name, "%.120s", value + 2);
            break;
        }
    }
    if (file)
        fclose(file);
    snprintf(out, size, "%s, %ld cores", name, sysconf(_SC_NPROCESSORS_ONLN));
}

/* *help is set when that was asked for. */
static bool read_flags(int argc, char **argv, results_context *c, bool *help, fault *f)
{
    struct option options[FLAGS + 1] = {{0}};
    for (int i = 0; i < FLAGS; i++)
        options[i] = flags[i].option;
    for (int flag; (flag = flags_next(argc, argv, options, f)) != -1;) {
        char *end = "";
        switch (flag) {
        case 'o':
            c->out = optarg;
            break;
        case 't':
            c->tables = optarg;
            break;
        case 'c':
            c->command = optarg;
            break;
        case 'd':
            c->device = optarg;
            break;
        case 's':
            c->seconds = strtod(optarg, &end);
            break;
        case 'h':
            *help = true;
            return true;
        default:
            return false;
        }
        if (*end)
            return fault_set(f, "--seconds: '%s' is not a number", optarg);
    }
    if (optind < argc)
        return fault_set(f, "'%s' is no option; see --help", argv[optind]);
    return (c->out && c->tables) || fault_set(f, "--out and --tables are needed; see --help");
}

static bool write_all(const runs *all, const results_context *c, fault *f)
{
    int drawn = 0, finished = 0;
    for (int i = 0; i < all->count; i++) {
        int pictures;
        if (!results_plots(all, &all->experiment[i], c, &pictures, f))
            return false;
        drawn += pictures;
        finished += all->experiment[i].finished;
    }
    if (!results_csv(all, c, f) || !results_markdown(all, c, f))
        return false;
    if (drawn == 0 && finished > 0)
        fprintf(stderr, "make_report: no pictures: gnuplot is missing (make deps installs it)\n");
    printf("%s/report.md: %d finished runs, %d pictures\n", c->out, finished, drawn);
    return true;
}

int main(int argc, char **argv)
{
    char machine[192];
    describe_machine(machine, sizeof machine);
    results_context c = {.machine = machine, .device = "cpu", .seconds = -1};
    fault f = {""};
    bool help = false;
    if (!read_flags(argc, argv, &c, &help, &f)) {
        fprintf(stderr, "make_report: %s\n", f.text);
        return 2;
    }
    if (help) {
        print_help();
        return EXIT_SUCCESS;
    }
    runs all;
    bool good = runs_load(c.tables, c.out, &all, &f);
    if (good) {
        good = write_all(&all, &c, &f);
        runs_free(&all);
    }
    if (!good)
        fprintf(stderr, "make_report: %s\n", f.text);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
