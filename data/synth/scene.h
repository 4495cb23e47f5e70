// A picture with people, clutter and things in front of them, and its annotation.
#pragma once

#include <vector>

#include "data/synth/figure.h"

namespace limber::synth {

struct SceneOptions {
  int width = 320, height = 240;
  int min_people = 1, max_people = 3;
  double min_height = 0.45, max_height = 0.95;  // of a figure, as a share of the picture's height
  double difficulty = 1;  // of poses, clutter and occlusion; 0: people standing apart, nothing else
};

struct Person {
  std::array<double, 3 * kJoints> keypoints{};  // x, y, v: 0 not labelled, 1 hidden, 2 visible
  int num_keypoints = 0;
  std::array<double, 4> bbox{};  // x, y, width, height of what is painted, inside the picture
  double area = 0;               // visible pixels
};

struct Scene {
  Tensor image;  // u8 (H, W, 3), B, G, R
  std::vector<Person> people;
};

// A function of the options and the seed alone.
Scene make_scene(const SceneOptions& options, uint64_t seed);

}  // namespace limber::synth
