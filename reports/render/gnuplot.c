/* SPDX-License-Identifier: MIT */
#include "reports/render/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_MAX_OURS  512u
#define SVG_BYTES_MAX  (1 << 24)
#define FEW_POINTS     12u
#define EXIT_NOT_FOUND 127

/* Colours of the script are marks that svg.c turns into the variables of the style sheet. */
#define COLOR_SERIES 0x20u

static void file_name(char out[PATH_MAX_OURS], const char *directory, const char *format, ...)
    TRP_PRINTF(3, 4);

static void file_name(char out[PATH_MAX_OURS], const char *directory, const char *format, ...)
{
    int size = snprintf(out, PATH_MAX_OURS, "%s/", directory);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out + size, PATH_MAX_OURS - (size_t)size, format, arguments);
    va_end(arguments);
}

/* Closes a file that was written; false when anything failed. */
static bool close_written(FILE *file)
{
    bool failed = ferror(file) != 0;
    return fclose(file) == 0 && !failed;
}

static bool write_data(const char *path, const struct plot_series *series)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    for (size_t i = 0; i < series->count; i++) {
        const struct plot_point *point = &series->points[i];
        if (!isfinite(point->y) || !isfinite(point->low)) {
            (void)fputc('\n', file); /* a gap */
        } else if (series->style == PLOT_BARS) {
            double half = series->width / 2;
            (void)fprintf(file, "%.9g\t%.9g\t%.9g\t%.9g\t%.9g\t%.9g\n", point->x, point->y,
                          point->x - half, point->x + half, point->low, point->y);
        } else {
            (void)fprintf(file, "%.9g\t%.9g\t%.9g\n", point->x, point->y, point->low);
        }
    }
    return close_written(file);
}

static void put_tics(FILE *script, const char *axis, const struct plot_tic *tics, uint32_t count)
{
    (void)fprintf(script, "set %s (", axis);
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "'" : ", '", script);
        for (const char *at = tics[i].label; *at != '\0'; at++) {
            (void)fputs(*at == '%' ? "%%" : (const char[]){*at, '\0'}, script);
        }
        (void)fprintf(script, "' %.9g", tics[i].at);
    }
    (void)fputs(")\n", script);
}

/* Whether a point has gaps, or nothing, on both sides: no line goes through it. */
static bool is_alone(const struct plot_series *series, size_t i)
{
    const struct plot_point *points = series->points;
    return isfinite(points[i].y) && (i == 0 || !isfinite(points[i - 1].y)) &&
           (i + 1 == series->count || !isfinite(points[i + 1].y));
}

/* A line shows its points too where there are few, or where one would be unseen without. */
static bool shows_points(const struct plot_series *series)
{
    bool shows = series->count <= FEW_POINTS;
    for (size_t i = 0; i < series->count && !shows; i++) {
        shows = is_alone(series, i);
    }
    return shows && series->style == PLOT_LINE;
}

static void put_series(FILE *script, size_t plot, uint32_t index, const struct plot_series *series)
{
    static const char *const styles[] = {"using 1:2 with lines lw 1.7",
                                         "using 1:2:3 with filledcurves fs solid 1.0 noborder",
                                         "using 1:2 with points pt 7 ps 0.5",
                                         "using 1:2:3:4:5:6 with boxxyerror fs solid 1.0 noborder"};
    (void)fprintf(script, "'%zu-%u.tsv' %s lc rgb '#0101%02x'", plot, index,
                  shows_points(series) ? "using 1:2 with linespoints lw 1.7 pt 7 ps 0.4"
                                       : styles[series->style],
                  COLOR_SERIES + (unsigned)series->color +
                      (series->style == PLOT_BAND ? 0x10u : 0u));
}

static void put_plot(FILE *script, size_t index, const struct plot *plot)
{
    (void)fprintf(script,
                  "set terminal svg size %d,%d dynamic noenhanced font 'sans,11'\n"
                  "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
                  "set output '%zu.svg'\n",
                  plot->width, PLOT_HEIGHT, (double)PLOT_LEFT / plot->width,
                  1 - (double)PLOT_RIGHT / plot->width, index);
    (void)fprintf(script, "%s logscale y\n", plot->logarithmic ? "set" : "unset");
    (void)fprintf(script, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", plot->x_from,
                  plot->x_to, plot->y_from, plot->y_to);
    put_tics(script, "xtics", plot->x_tics, plot->x_tics_count);
    put_tics(script, "ytics", plot->y_tics, plot->y_tics_count);
    (void)fputs("plot ", script);
    bool first = true;
    for (uint32_t i = 0; i < plot->series_count; i++) {
        if (plot->series[i].count > 0) {
            (void)fputs(first ? "" : ", ", script);
            put_series(script, index, i, &plot->series[i]);
            first = false;
        }
    }
    (void)fputc('\n', script);
}

static bool write_script(const char *directory, const struct plots *plots)
{
    char path[PATH_MAX_OURS];
    file_name(path, directory, "plots.gp");
    FILE *script = fopen(path, "w");
    if (script == NULL) {
        return false;
    }
    (void)fprintf(script,
                  "set encoding utf8\nset datafile separator tab\nunset key\n"
                  "set border 3 lc rgb '#010102' lw 1\n"
                  "set tics nomirror scale 0.4 textcolor rgb '#010103'\n"
                  "set grid ytics lc rgb '#010104' lw 1 lt 1 dt solid\n"
                  "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
                  1 - (double)PLOT_TOP / PLOT_HEIGHT, (double)PLOT_BOTTOM / PLOT_HEIGHT);
    for (size_t i = 0; i < plots->count; i++) {
        if (!plot_is_empty(&plots->items[i])) {
            put_plot(script, i, &plots->items[i]);
        }
    }
    return close_written(script);
}

static bool write_inputs(const char *directory, const struct plots *plots)
{
    for (size_t i = 0; i < plots->count; i++) {
        for (uint32_t k = 0; k < plots->items[i].series_count; k++) {
            char path[PATH_MAX_OURS];
            file_name(path, directory, "%zu-%u.tsv", i, k);
            if (!write_data(path, &plots->items[i].series[k])) {
                return false;
            }
        }
    }
    return write_script(directory, plots);
}

static void remove_files(const char *directory, const struct plots *plots)
{
    char path[PATH_MAX_OURS];
    for (size_t i = 0; i < plots->count; i++) {
        for (uint32_t k = 0; k < plots->items[i].series_count; k++) {
            file_name(path, directory, "%zu-%u.tsv", i, k);
            (void)unlink(path);
        }
        file_name(path, directory, "%zu.svg", i);
        (void)unlink(path);
    }
    file_name(path, directory, "plots.gp");
    (void)unlink(path);
    (void)rmdir(directory);
}

/* The child's side: only calls that are safe after fork. */
static _Noreturn void become(const char *program, const char *directory)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        setpgid(0, 0) != 0 || chdir(directory) != 0) {
        _exit(EXIT_FAILURE);
    }
    /* -d: the user's start-up files would make one machine's plots differ from another's. */
    (void)execlp(program, program, "-d", "plots.gp", (char *)NULL);
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILURE);
}

/* Waits for a process at most `ms_max`, then kills its group. False: it was killed. */
static bool wait_for(pid_t child, uint32_t ms_max, int *ret_state)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t deadline = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms_max;
    for (;;) {
        pid_t ended = waitpid(child, ret_state, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            return ended == child;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        if ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= deadline) {
            (void)kill(-child, SIGKILL);
            (void)kill(child, SIGKILL);
            (void)waitpid(child, ret_state, 0);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static void run_program(struct drawings *drawings, const char *program, const char *directory,
                        uint32_t ms_max)
{
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        become(program, directory);
    }
    if (child < 0) {
        (void)snprintf(drawings->problem, sizeof drawings->problem, "gnuplot could not be started");
    } else if (!wait_for(child, ms_max, &state)) {
        (void)snprintf(drawings->problem, sizeof drawings->problem,
                       "gnuplot did not finish within %u ms", ms_max);
    } else if (WIFEXITED(state) && WEXITSTATUS(state) == EXIT_NOT_FOUND) {
        (void)snprintf(drawings->problem, sizeof drawings->problem, "gnuplot is not installed");
    } else if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
        (void)snprintf(drawings->problem, sizeof drawings->problem, "gnuplot failed");
    }
}

/* Reads a whole file; NULL when it is absent, empty or too large. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat found;
    if (file == NULL || fstat(fileno(file), &found) != 0 || found.st_size <= 0 ||
        found.st_size > SVG_BYTES_MAX) {
        if (file != NULL) {
            (void)fclose(file);
        }
        return NULL;
    }
    size_t size = (size_t)found.st_size;
    char *text = malloc(size + 1);
    if (text != NULL) {
        size = fread(text, 1, size, file);
        text[size] = '\0';
    }
    (void)fclose(file);
    return text;
}

void drawings_init(struct drawings *drawings, const struct plots *plots, const char *program,
                   uint32_t ms_max)
{
    *drawings =
        (struct drawings){.svgs = calloc(plots->count + 1, sizeof(char *)), .count = plots->count};
    const char *parent = getenv("TMPDIR");
    char directory[PATH_MAX_OURS / 2];
    int size = snprintf(directory, sizeof directory, "%s/troupe-plots-XXXXXX",
                        parent == NULL || parent[0] == '\0' ? "/tmp" : parent);
    if (program[0] == '\0') {
        (void)snprintf(drawings->problem, sizeof drawings->problem, "no plots were asked for");
        return;
    }
    if (drawings->svgs == NULL || size >= (int)sizeof directory || mkdtemp(directory) == NULL) {
        (void)snprintf(drawings->problem, sizeof drawings->problem,
                       "there is no room for temporary files");
        return;
    }
    if (write_inputs(directory, plots)) {
        run_program(drawings, program, directory, ms_max);
    } else {
        (void)snprintf(drawings->problem, sizeof drawings->problem,
                       "the data of the plots could not be written");
    }
    for (size_t i = 0; i < plots->count && drawings->problem[0] == '\0'; i++) {
        char path[PATH_MAX_OURS];
        file_name(path, directory, "%zu.svg", i);
        drawings->svgs[i] = read_file(path);
    }
    remove_files(directory, plots);
}

void drawings_deinit(struct drawings *drawings)
{
    for (size_t i = 0; drawings->svgs != NULL && i < drawings->count; i++) {
        free(drawings->svgs[i]);
    }
    free(drawings->svgs);
    *drawings = (struct drawings){0};
}
