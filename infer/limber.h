/* The C interface of limber's inference library: opens .limber files, which `limber export` writes,
 * and finds key points in pictures with them.
 *
 * Sessions share nothing: each may be used by one thread at a time, different ones by different
 * threads at once. Memory is allocated when a session is opened. Functions that can fail return
 * NULL or a negative number and leave a text behind. */
#ifndef LIMBER_H_
#define LIMBER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct limber_session limber_session;

/* Opens a .limber file to run on `threads` threads (0: one per core). On failure NULL, and the
 * reason in error (up to error_size bytes, ends with 0), if that is not NULL. */
limber_session* limber_open(const char* path, int threads, char* error, size_t error_size);
void limber_close(limber_session* session); /* NULL is fine */

/* What the file holds. */
const char* limber_model_name(const limber_session* session);
int limber_keypoint_count(const limber_session* session);
const char* limber_keypoint_name(const limber_session* session, int index); /* NULL: none such */
void limber_input_size(const limber_session* session, int* width, int* height);
int limber_max_batch(const limber_session* session); /* boxes that are computed at a time */
size_t limber_memory(const limber_session* session); /* bytes: weights and planned arenas */

/* Finds the key points in `count` boxes of a picture of R, G, B bytes, rows `stride` bytes apart.
 * boxes: x, y, width, height each, in pixels; NULL: one box, the whole picture (count is 1 then).
 * keypoints: count * limber_keypoint_count() pairs x, y in pixels of the picture; scores: as many
 * numbers. Returns 0, or -1: see limber_error(). */
int limber_run(limber_session* session, const uint8_t* rgb, int width, int height, size_t stride,
               const float* boxes, int count, float* keypoints, float* scores);

/* Why the last call on this session failed; "" if it did not. */
const char* limber_error(const limber_session* session);

/* "0.1.0" */
const char* limber_version(void);

#ifdef __cplusplus
}
#endif

#endif /* LIMBER_H_ */
