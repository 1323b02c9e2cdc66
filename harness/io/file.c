/* SPDX-License-Identifier: MIT */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

file_calls file_system = {.write = write, .fsync = fsync, .rename = rename};

char *file_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

bool file_write(int descriptor, const void *data, size_t bytes)
{
    const char *place = data;
    while (bytes > 0) {
        ssize_t written = file_system.write(descriptor, place, bytes < (1u << 30) ? bytes : 1u << 30);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        place += written;
        bytes -= (size_t)written;
    }
    return true;
}

/* A rename is durable once the folder that holds the name is. */
static bool sync_folder(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return false;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = 0;
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
    free(folder);
    if (descriptor < 0)
        return false;
    bool good = file_system.fsync(descriptor) == 0;
    close(descriptor);
    return good;
}

static const char *advice(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "; free some space or choose another folder";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; choose a folder that you may write to";
    case ENOENT:
        return "; the folder is missing";
    case ENOTDIR:
        return "; a file stands where the folder should be";
    default:
        return "";
    }
}

bool file_fault(fault *f, const char *path, const char *stage, int code)
{
    return fault_set(f, "%s: cannot %s: %s%s", path, stage, strerror(code), advice(code));
}

bool file_write_atomic(const char *path, const file_part *part, int parts, fault *f)
{
    size_t size = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(size);
    if (!temporary)
        return fault_set(f, "%s: out of memory", path);
    snprintf(temporary, size, "%s.tmp", path);

    const char *stage = "create";
    bool good = false;
    int code = 0;
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
        stage = "write";
        good = true;
        for (int i = 0; i < parts && good; i++)
            good = file_write(descriptor, part[i].data, part[i].bytes);
        good = good && file_system.fsync(descriptor) == 0;
        code = good ? 0 : errno;
        if (close(descriptor) != 0 && good) {
            good = false;
            code = errno;
        }
        if (good) {
            good = file_system.rename(temporary, path) == 0 && sync_folder(path);
            code = good ? 0 : errno;
        }
        if (!good)
            unlink(temporary);
    } else {
        code = errno;
    }
    free(temporary);
    return good || file_fault(f, path, stage, code);
}

char *file_read(const char *path, size_t *bytes, fault *f)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fault_set(f, "%s: cannot read: %s", path, strerror(errno));
        return NULL;
    }
    size_t used = 0, size = 1 << 16;
    char *data = NULL;
    for (;;) {
        char *grown = realloc(data, size + 1);
        if (!grown)
            break;
        data = grown;
        used += fread(data + used, 1, size - used, file);
        if (used < size)
            break;
        size *= 2;
    }
    if (!data || used == size || ferror(file)) {
        fault_set(f, "%s: cannot read: %s", path, ferror(file) ? strerror(errno) : "out of memory");
        free(data);
        data = NULL;
    } else {
        data[used] = 0;
        *bytes = used;
    }
    fclose(file);
    return data;
}

bool file_same(const char *path, const char *other)
{
    struct stat a, b;
    bool there = stat(path, &a) == 0;
    if ((stat(other, &b) == 0) != there)
        return false;
    return there ? S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino : strcmp(path, other) == 0;
}

bool file_make_folder(const char *path, fault *f)
{
    char *partial = strdup(path);
    if (!partial)
        return fault_set(f, "%s: out of memory", path);
    for (char *p = partial + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(partial, 0777); /* what fails here shows at the last one */
            *p = '/';
        }
    bool good = mkdir(partial, 0777) == 0 || errno == EEXIST;
    int code = errno;
    struct stat status;
    if (good && !(stat(path, &status) == 0 && S_ISDIR(status.st_mode))) {
        good = false;
        code = ENOTDIR;
    }
    free(partial);
    return good || file_fault(f, path, "make this folder", code);
}
