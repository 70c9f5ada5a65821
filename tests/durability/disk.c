/* Simulated disk, preloaded into the server: records what would reach the disk, and can be told to fail.
 *
 * DISK_DB is the path of the database; the recording is written to <db>.record. While a file of one of these names
 * exists next to the database,
 *   <db>.slow         a write to the database itself takes a little longer,
 *   <db>.full         a write to the database, its log or its index fails with "no space left",
 *   <db>.fail-sync    the next sync of the database fails, and removes the file,
 *   <db>.fail-syncs   every sync of the database fails,
 *   <db>.fail-commits every sync of the log fails.
 * Syncs are recorded but not performed; a replay of the recording decides what they have made durable.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OTHER, DATABASE, LOG, INDEX };
enum { WRITE = 1, TRUNCATE, SYNCED, SYNC_FAILED, REMOVED };
struct head { uint32_t what, file; uint64_t offset, length; };

#define FDS 4096
static unsigned char file_of[FDS];
static int record = -1;
static const char *db;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    char name[4096];
    db = getenv("DISK_DB");
    if (!db) return;
    snprintf(name, sizeof name, "%s.record", db);
    record = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int is_asked(const char *what) {
    char name[4096];
    snprintf(name, sizeof name, "%s.%s", db, what);
    return access(name, F_OK) == 0;
}

static int kind(const char *path) {
    size_t length;
    if (!db || !path) return OTHER;
    length = strlen(db);
    if (strncmp(path, db, length)) return OTHER;
    if (!strcmp(path + length, "")) return DATABASE;
    if (!strcmp(path + length, "-wal")) return LOG;
    if (!strcmp(path + length, "-shm")) return INDEX;
    return OTHER;
}

static int kind_of(int fd) {
    return db && fd >= 0 && fd < FDS ? file_of[fd] : OTHER;
}

static void note(int what, int file, off_t offset, const void *bytes, size_t length) {
    struct head head = { what, file, offset, length };
    if (file != DATABASE && file != LOG) return;
    syscall(SYS_write, record, &head, sizeof head);
    if (bytes) syscall(SYS_write, record, bytes, length);
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < FDS) file_of[fd] = kind(path);
    return fd;
}

#define OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                          \
        va_list rest;                                                     \
        mode_t mode;                                                      \
        va_start(rest, flags);                                            \
        mode = va_arg(rest, mode_t);                                      \
        va_end(rest);                                                     \
        return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), path); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < FDS) file_of[fd] = OTHER;
    return (int)syscall(SYS_close, fd);
}

static ssize_t put(int fd, const void *bytes, size_t length, off_t offset) {
    ssize_t done;
    int file = kind_of(fd);
    if (is_asked("full")) {
        errno = ENOSPC;
        return -1;
    }
    if (file == DATABASE && is_asked("slow")) usleep(300);
    pthread_mutex_lock(&turn);
    done = syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (done > 0) note(WRITE, file, offset, bytes, done);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    if (kind_of(fd) == OTHER) return syscall(SYS_pwrite64, fd, bytes, length, offset);
    return put(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t done;
    if (kind_of(fd) == OTHER) return syscall(SYS_write, fd, bytes, length);
    done = put(fd, bytes, length, lseek(fd, 0, SEEK_CUR));
    if (done > 0) lseek(fd, done, SEEK_CUR);
    return done;
}

int ftruncate(int fd, off_t length) {
    int done, file = kind_of(fd);
    pthread_mutex_lock(&turn);
    done = (int)syscall(SYS_ftruncate, fd, length);
    if (!done) note(TRUNCATE, file, length, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int is_failing(int file) {
    char name[4096];
    snprintf(name, sizeof name, "%s.fail-sync", db);
    if (file == LOG) return is_asked("fail-commits");
    return is_asked("fail-syncs") || unlink(name) == 0;
}

int fdatasync(int fd) {
    int failing, file = kind_of(fd);
    if (file == OTHER) return (int)syscall(SYS_fdatasync, fd);
    failing = is_failing(file);
    pthread_mutex_lock(&turn);
    note(failing ? SYNC_FAILED : SYNCED, file, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = EIO;
    return failing ? -1 : 0;
}

int fsync(int fd) {
    return kind_of(fd) == OTHER ? (int)syscall(SYS_fsync, fd) : fdatasync(fd);
}

int unlink(const char *path) {
    int done;
    pthread_mutex_lock(&turn);
    done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!done) note(REMOVED, kind(path), 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}
