/* Key points of one box of a binary PPM picture:
 *   keypoints MODEL.limber PICTURE.ppm [X Y WIDTH HEIGHT]
 * Prints a line per key point, then how long opening and the first result took. */
#include <limber.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 7) return fail(argv[0], "MODEL.limber PICTURE.ppm [X Y WIDTH HEIGHT]");
  int width = 0, height = 0;
  FILE* file = fopen(argv[2], "rb");
  if (!file || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || width < 1 || height < 1)
    return fail(argv[2], "no binary PPM picture");
  fgetc(file); /* the one byte between header and pixels */
  const size_t stride = 3 * (size_t)width, bytes = stride * (size_t)height;
  uint8_t* rgb = malloc(bytes);
  if (!rgb || fread(rgb, 1, bytes, file) != bytes) return fail(argv[2], "cut off");
  fclose(file);

  char error[512];
  const double start = now();
  limber_session* session = limber_open(argv[1], 0, error, sizeof error);
  if (!session) return fail(argv[1], error);
  const double opened = now();
  const int count = limber_keypoint_count(session);
  float* points = malloc(sizeof(float) * 3 * (size_t)count);
  float* scores = points + 2 * count;
  float box[4] = {0, 0, (float)width, (float)height};
  for (int i = 3; i < argc; ++i) box[i - 3] = (float)atof(argv[i]);
  if (limber_run(session, rgb, width, height, stride, box, 1, points, scores) != 0)
    return fail(argv[1], limber_error(session));
  const double done = now();
  for (int i = 0; i < count; ++i)
    printf("%-20s %8.2f %8.2f %7.4f\n", limber_keypoint_name(session, i), points[2 * i],
           points[2 * i + 1], scores[i]);
  printf("opened in %.1f ms, first result after %.1f ms, %.1f MB of weights and arena\n",
         1e3 * (opened - start), 1e3 * (done - start), 1e-6 * (double)limber_memory(session));
  limber_close(session);
  free(points);
  free(rgb);
  return 0;
}
