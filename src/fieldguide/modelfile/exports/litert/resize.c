/* From an upright RGB photo of any size to the square that a fieldguide model of version 2 sees, to the bit.
 *
 * docs/artifact.md, "How an image is resized", is the definition: means of blocks with sides of 1, 2, 4 ... pixels,
 * then Pillow's antialiased filter (Resample.c) on the rows and then on the columns. C99, no dependencies.
 *
 *     uint8_t square[224 * 224 * 3];
 *     if (fieldguide_resize(rgb, width, height, square, 224, 0, 1) != 0) { ... out of memory ... }
 *
 * MIT licence, as the rest of fieldguide.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define UNIT (1 << 22) /* Pillow keeps weights as integers in these units */

static double filter(double x, int bicubic)
{
    x = fabs(x);
    if (!bicubic)
        return x < 1 ? 1 - x : 0;
    if (x < 1)
        return ((1.5 * x - 2.5) * x) * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

/* One side of the area that is seen, and of its blocks. */
static void seen(int whole, int side, int size, int *start, int *count, int *block)
{
    *block = 1;
    while (side / (2 * *block) >= 2 * size)
        *block *= 2;
    *count = side / *block;
    *start = (whole - *count * *block) / 2;
}

/* Resize `count` lines of `width` bytes to `size` lines. */
static int resize_lines(const uint8_t *lines, int count, long width, uint8_t *out, int size, int bicubic)
{
    double scale = (double)count / size, stretch = scale > 1 ? scale : 1, support = (bicubic ? 2 : 1) * stretch;
    int most = (int)ceil(support) * 2 + 1;
    double *share = malloc(most * sizeof *share);
    int32_t *sums = malloc(width * sizeof *sums);
    if (share == NULL || sums == NULL) {
        free(share);
        free(sums);
        return -1;
    }
    for (int place = 0; place < size; place++) {
        double centre = (place + 0.5) * scale, total = 0;
        int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > count ? count : last;
        for (int line = first; line < last; line++) {
            share[line - first] = filter((line - centre + 0.5) / stretch, bicubic);
            total += share[line - first];
        }
        for (long at = 0; at < width; at++)
            sums[at] = UNIT / 2;
        for (int line = first; line < last; line++) {
            double exact = share[line - first] / total * UNIT;
            int32_t weight = (int32_t)(exact < 0 ? exact - 0.5 : exact + 0.5);
            const uint8_t *values = lines + line * width;
            for (long at = 0; at < width; at++)
                sums[at] += weight * values[at];
        }
        for (long at = 0; at < width; at++) {
            int32_t level = sums[at] >> 22;
            out[place * width + at] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    }
    free(share);
    free(sums);
    return 0;
}

/* Turn a table of pixels on its side. */
static void turn(const uint8_t *pixels, int high, int wide, uint8_t *out)
{
    for (int row = 0; row < high; row++)
        for (int column = 0; column < wide; column++)
            for (int colour = 0; colour < 3; colour++)
                out[((long)column * high + row) * 3 + colour] = pixels[((long)row * wide + column) * 3 + colour];
}

/* 0, or -1 if there is too little memory. `crop` and `bicubic` are 1 or 0, as the card's preprocessing says. */
int fieldguide_resize(
    const uint8_t *rgb, int width, int height, uint8_t *square, int size, int crop, int bicubic)
{
    int shorter = width < height ? width : height, left, top, wide, high, across, down, failed = -1;
    seen(width, crop ? shorter : width, size, &left, &wide, &across);
    seen(height, crop ? shorter : height, size, &top, &high, &down);
    uint8_t *shrunk = malloc((size_t)wide * high * 3), *turned = malloc((size_t)wide * high * 3);
    uint8_t *rows = malloc((size_t)size * high * 3), *lines = malloc((size_t)size * high * 3);
    if (shrunk != NULL && turned != NULL && rows != NULL && lines != NULL) {
        for (int row = 0; row < high; row++)
            for (int column = 0; column < wide; column++)
                for (int colour = 0; colour < 3; colour++) {
                    int64_t sum = across * down / 2;
                    for (int y = 0; y < down; y++)
                        for (int x = 0; x < across; x++)
                            sum += rgb[((long)(top + row * down + y) * width + left + column * across + x) * 3 + colour];
                    shrunk[((long)row * wide + column) * 3 + colour] = (uint8_t)(sum / (across * down));
                }
        turn(shrunk, high, wide, turned);
        failed = resize_lines(turned, wide, (long)high * 3, rows, size, bicubic);
        turn(rows, size, high, lines);
        if (failed == 0)
            failed = resize_lines(lines, high, (long)size * 3, square, size, bicubic);
    }
    free(shrunk);
    free(turned);
    free(rows);
    free(lines);
    return failed;
}
