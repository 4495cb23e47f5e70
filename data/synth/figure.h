// An articulated figure: bones with joint limits, posed at random, projected without perspective.
// Coordinates: x to the right, y down, z towards the viewer; one unit is the figure's height.
#pragma once

#include <array>

#include "data/synth/canvas.h"
#include "data/synth/rotation.h"

namespace limber::synth {

// COCO's seventeen key points, in its order.
enum Joint : int {
  kNose,
  kLeftEye,
  kRightEye,
  kLeftEar,
  kRightEar,
  kLeftShoulder,
  kRightShoulder,
  kLeftElbow,
  kRightElbow,
  kLeftWrist,
  kRightWrist,
  kLeftHip,
  kRightHip,
  kLeftKnee,
  kRightKnee,
  kLeftAnkle,
  kRightAnkle,
  kJoints
};

struct Figure {
  std::array<Vec3, kJoints> joints;
  Vec3 head, left_hand, right_hand, left_toe, right_toe;
  Vec3 facing;  // where the face looks, unit vector
  double head_radius = 0.065, girth = 1;
};

// Standing, reaching, stepping, crouching; mostly facing the viewer, now and then turned away.
// Below a difficulty of 1 the joints bend less far and such figures are rarer.
Figure random_figure(Random& random, double difficulty);

struct Clothes {
  Material skin, shirt, trousers, hair, shoes;
  bool long_sleeves = true, long_trousers = true;
};
Clothes random_clothes(Random& random, double height);

// Paints the figure with its hip centre at `origin`; `height` in pixels.
void paint_figure(Canvas& canvas, const Figure& figure, const Clothes& clothes, Vec2 origin,
                  double height, int owner, double depth);

// A joint's pixel.
Vec2 project(Vec3 joint, Vec2 origin, double height);

}  // namespace limber::synth
