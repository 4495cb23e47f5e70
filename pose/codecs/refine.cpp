// Sub-pixel refinement of key points read off heat maps; declared in peaks.h.
#include <cmath>
#include <limits>

#include "pose/codecs/blur.h"
#include "pose/codecs/peaks.h"

namespace limber {
namespace {

constexpr float kFloorUdp = 1e-3f, kCeilingUdp = 50;

// Calls refine(map k, key point (n, k)) for all, map by map.
template <class Refine>
void for_each_point(float* keypoints, int64_t instances, const Maps& maps, const Refine& refine) {
  for (int64_t k = 0; k < maps.count; ++k)
    refine(maps.map(k), [&](const auto& one) {
      for (int64_t n = 0; n < instances; ++n) one(keypoints + (n * maps.count + k) * 2);
    });
}

Maps checked(const Tensor& keypoints, const Tensor& maps, const char* name) {
  check(keypoints.rank() == 3 && keypoints.size(2) == 2 && maps.rank() == 3 &&
            maps.size(0) == keypoints.size(1),
        name, ": key points ", keypoints.shape(), " and maps ", maps.shape(),
        ", (N, K, 2) and (K, H, W) are wanted");
  return maps_of(maps);
}

float sign(float v) { return v > 0 ? 1.0f : v < 0 ? -1.0f : 0.0f; }

}  // namespace

void refine_by_neighbours(float* keypoints, int64_t instances, const Maps& maps) {
  const int64_t height = maps.height, width = maps.width;
  for_each_point(keypoints, instances, maps, [&](const float* map, const auto& each) {
    each([&](float* p) {
      const int64_t x = int64_t(p[0]), y = int64_t(p[1]);
      const float* at = map + y * width + x;
      // The reference's own bounds: column and row 1 are left out, but only along their axis.
      const bool along_x = x > 1 && x < width - 1 && y > 0 && y < height;
      const bool along_y = y > 1 && y < height - 1 && x > 0 && x < width;
      if (along_x) p[0] += 0.25f * sign(at[1] - at[-1]);
      if (along_y) p[1] += 0.25f * sign(at[width] - at[-width]);
    });
  });
}

void refine_dark(float* keypoints, int64_t instances, const Maps& maps, Blur& blur) {
  const int64_t height = maps.height, width = maps.width;
  for_each_point(keypoints, instances, maps, [&](const float* map, const auto& each) {
    LogBlur logs(map, height, width, blur, 1e-10f, std::numeric_limits<float>::infinity());
    each([&](float* p) {
      const int64_t x = int64_t(p[0]), y = int64_t(p[1]);
      if (x <= 1 || x >= width - 2 || y <= 1 || y >= height - 2) return;
      double v[5][5];
      logs.patch(y - 2, x - 2, 5, 5, v[0]);
      const double dx = 0.5 * (v[2][3] - v[2][1]), dy = 0.5 * (v[3][2] - v[1][2]);
      const double dxx = 0.25 * (v[2][4] - 2 * v[2][2] + v[2][0]);
      const double dyy = 0.25 * (v[4][2] - 2 * v[2][2] + v[0][2]);
      const double dxy = 0.25 * (v[3][3] - v[1][3] - v[3][1] + v[1][1]);
      const double determinant = dxx * dyy - dxy * dxy;
      if (determinant == 0) return;
      p[0] -= float((dyy * dx - dxy * dy) / determinant);
      p[1] -= float((dxx * dy - dxy * dx) / determinant);
    });
  });
}

void refine_dark_udp(float* keypoints, int64_t instances, const Maps& maps, Blur& blur) {
  const int64_t height = maps.height, width = maps.width;
  for_each_point(keypoints, instances, maps, [&](const float* map, const auto& each) {
    LogBlur logs(map, height, width, blur, kFloorUdp, kCeilingUdp);
    each([&](float* p) {
      double v[3][3];
      logs.patch(int64_t(p[1]) - 1, int64_t(p[0]) - 1, 3, 3, v[0]);
      constexpr double eps = std::numeric_limits<float>::epsilon();
      const double dx = 0.5 * (v[1][2] - v[1][0]), dy = 0.5 * (v[2][1] - v[0][1]);
      const double dxx = v[1][2] - 2 * v[1][1] + v[1][0] + eps;
      const double dyy = v[2][1] - 2 * v[1][1] + v[0][1] + eps;
      const double dxy =
          0.5 * (v[2][2] - v[1][2] - v[2][1] + 2 * v[1][1] - v[1][0] - v[0][1] + v[0][0]);
      const double determinant = dxx * dyy - dxy * dxy;
      p[0] -= float((dyy * dx - dxy * dy) / determinant);
      p[1] -= float((dxx * dy - dxy * dx) / determinant);
    });
  });
}

void refine_by_neighbours(const Tensor& keypoints, const Tensor& maps) {
  const Maps all = checked(keypoints, maps, "refine_by_neighbours");
  refine_by_neighbours(keypoints.data<float>(), keypoints.size(0), all);
}

void refine_dark(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size) {
  const Maps all = checked(keypoints, maps, "refine_dark");
  Blur blur(blur_kernel_size);
  refine_dark(keypoints.data<float>(), keypoints.size(0), all, blur);
}

void refine_dark_udp(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size) {
  const Maps all = checked(keypoints, maps, "refine_dark_udp");
  Blur blur(blur_kernel_size);
  refine_dark_udp(keypoints.data<float>(), keypoints.size(0), all, blur);
}

void find_megvii_peaks(const Maps& maps, Blur& blur, float* locations, float* scores) {
  const int64_t height = maps.height, width = maps.width;
  for (int64_t k = 0; k < maps.count; ++k) {
    float *map = blur.copy(maps.map(k), height, width), *p = locations + 2 * k;
    blur.keep_peak(map, height, width);
    find_peaks({map, 1, height, width}, p, scores + k);
    scores[k] = scores[k] / 255 + 0.5f;
    const int64_t x = int64_t(p[0]), y = int64_t(p[1]);
    if (x <= 1 || x >= width - 1 || y <= 1 || y >= height - 1) continue;
    const float* at = map + y * width + x;
    p[0] += 0.5f + 0.25f * sign(at[1] - at[-1]);
    p[1] += 0.5f + 0.25f * sign(at[width] - at[-width]);
  }
}

float dark_udp_log(float blurred) {
  return std::log(blurred < kFloorUdp ? kFloorUdp : blurred > kCeilingUdp ? kCeilingUdp : blurred);
}

}  // namespace limber
