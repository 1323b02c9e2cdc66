/* SPDX-License-Identifier: MIT */
#include "settings.h"

#define FIELD(name) .offset = offsetof(settings, name)
#define COUNT(low_, high_, initial_) .type = CONFIG_INT, .low = low_, .high = high_, .initial = initial_
#define REAL(low_, high_, initial_) .type = CONFIG_REAL, .low = low_, .high = high_, .initial = initial_
#define FLAG(initial_) .type = CONFIG_BOOL, .initial = initial_
#define TEXT(initial_) .type = CONFIG_TEXT, .initial = initial_
#define CHOICE(choices_, initial_) .type = CONFIG_CHOICE, .choices = choices_, .initial = initial_

static const config_option options[] = {
    {"run", "name", FIELD(name), TEXT("run"), .help = "what tables and plots call this run", .incidental = true},
    {"run", "seed", FIELD(seed), COUNT(0, 1e15, "0"), .help = "of initial values, data, order, augmentation and dropout"},
    {"run", "out", FIELD(out), TEXT(""), .help = "folder of the run; --out DIR; empty = runs/NAME", .incidental = true},
    {"run", "threads", FIELD(threads), COUNT(0, 1024, "0"), .help = "of the computation; --threads N; 0 = all cores",
     .incidental = true},

    {"data", "set", FIELD(set), CHOICE("arrows|cifar100", "arrows"), .help = "which data"},
    {"data", "folder", FIELD(folder), TEXT(""), .help = "where the files of the data lie; --data DIR", .incidental = true},
    {"data", "augment", FIELD(augment), FLAG("true"), .help = "cifar100: random crop with a border of 4, random flip"},
    {"data", "threads", FIELD(loader_threads), COUNT(1, 256, "1"), .help = "that make batches ahead of time",
     .incidental = true},
    {"data", "ahead", FIELD(loader_ahead), COUNT(1, 64, "4"), .help = "batches made ahead of time", .incidental = true},

    {"arrows", "grid", FIELD(grid), COUNT(2, 64, "5"), .help = "cells per side in training; a cell has 12 x 12 pixels"},
    {"arrows", "arrows", FIELD(arrows), COUNT(1, 1000, "8"), .help = "with the target"},
    {"arrows", "letters", FIELD(letters), COUNT(1, 6, "6"), .help = "with the Y"},
    {"arrows", "adjacent", FIELD(adjacent), FLAG("false"), .help = "the target is always next to the Y"},
    {"arrows", "test_grids", FIELD(test_grids), .type = CONFIG_LIST, .low = 2, .high = 64, .initial = "5 8 13",
     .help = "cells per side of the test sets"},
    {"arrows", "test_examples", FIELD(test_examples), COUNT(1, 1e9, "2000"), .help = "of each test set"},
    {"arrows", "test_seed", FIELD(test_seed), COUNT(0, 1e15, "0"), .help = "of the test sets, the same for runs of every seed"},

    {"model", "patch", FIELD(patch), COUNT(1, 64, "12"), .help = "pixels per side of a patch"},
    {"model", "dim", FIELD(dim), COUNT(1, 16384, "64"), .help = "width"},
    {"model", "depth", FIELD(depth), COUNT(1, 256, "2"), .help = "layers"},
    {"model", "heads", FIELD(heads), COUNT(1, 256, "2"), .help = "of the attention"},
    {"model", "head_dim", FIELD(head_dim), COUNT(1, 512, "32"), .help = "channels of a head"},
    {"model", "mlp_dim", FIELD(mlp_dim), COUNT(1, 65536, "128"), .help = "hidden width of the MLP"},
    {"model", "dropout", FIELD(dropout), REAL(0, 0.99, "0"), .help = "after embedding, attention output, GELU and MLP output"},
    {"model", "pool", FIELD(pool), CHOICE("cls|mean", "cls"), .help = "what the head reads"},

    {"position", "encoding", FIELD(encoding), CHOICE("absolute|visionllama|rope_mixed|liere|none", "liere"),
     .help = "how positions enter"},
    {"position", "tile", FIELD(tile), COUNT(0, 512, "8"), .help = "liere: order of a generator's blocks; 0 = head_dim, dense"},
    {"position", "rotations", FIELD(rotations), CHOICE("per_layer|layer0", "per_layer"),
     .help = "which layer's rotations a layer uses; layer0 as in the released code"},
    {"position", "per_layer", FIELD(per_layer), FLAG("true"), .help = "each layer has its own generators"},
    {"position", "per_head", FIELD(per_head), FLAG("true"), .help = "each head has its own generators"},
    {"position", "factor", FIELD(generator_factor), REAL(0, 1000, "6.283185307179586"),
     .help = "generator entries start as factor times U(0,1); the paper's is 2 pi"},
    {"position", "table_std", FIELD(table_std), REAL(0, 100, "1"), .help = "absolute: the table starts as N(0, table_std^2)"},
    {"position", "method", FIELD(method), CHOICE("auto|polynomial|pade|eigen|cayley", "auto"),
     .help = "how libso computes the rotations"},

    {"train", "batch", FIELD(batch), COUNT(1, 1e6, "64"), .help = "examples per step"},
    {"train", "epochs", FIELD(epochs), COUNT(0, 1e6, "0"), .help = "passes over the training data"},
    {"train", "examples", FIELD(examples), COUNT(0, 1e15, "120000"), .help = "length of training if epochs = 0"},
    {"train", "optimizer", FIELD(optimizer), CHOICE("adam|adamw", "adam"), .help = "weight decay is decoupled in adamw"},
    {"train", "rate", FIELD(rate), REAL(0, 1e30, "0.002"), .help = "learning rate at its largest"},
    {"train", "beta1", FIELD(beta1), REAL(0, 0.9999999, "0.9"), .help = "of Adam"},
    {"train", "beta2", FIELD(beta2), REAL(0, 0.9999999, "0.999"), .help = "of Adam"},
    {"train", "epsilon", FIELD(epsilon), REAL(0, 1, "1e-08"), .help = "of Adam"},
    {"train", "weight_decay", FIELD(weight_decay), REAL(0, 10, "0"), .help = "of every parameter"},
    {"train", "schedule", FIELD(schedule), CHOICE("constant|cosine_step|cosine_epoch", "constant"),
     .help = "of the learning rate after the warm-up; cosine to 0, changed at each step or epoch"},
    {"train", "warmup", FIELD(warmup), COUNT(0, 1e12, "100"), .help = "steps over which the rate rises linearly"},

    {"evaluate", "every", FIELD(evaluate_every), COUNT(0, 1e15, "0"), .help = "examples between tests; 0 = only at the end"},
    {"evaluate", "batch", FIELD(evaluate_batch), COUNT(1, 1e6, "100"), .help = "examples per forward pass"},
    {"checkpoint", "every", FIELD(checkpoint_every), COUNT(0, 1e12, "500"),
     .help = "steps between checkpoints; 0 = only at the end and when stopped", .incidental = true},
    {"log", "window", FIELD(log_window), COUNT(1, 1e12, "5000"), .help = "examples per line of log.jsonl"},
    {"log", "seconds", FIELD(log_seconds), COUNT(1, 86400, "30"), .help = "between progress lines when not on a terminal",
     .incidental = true},
    {"log", "progress", FIELD(progress), FLAG("true"), .help = "show progress on stderr", .incidental = true},
};

const config_table settings_table = {.option = options, .count = (int)(sizeof options / sizeof options[0])};
