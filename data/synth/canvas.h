// A small painter for synthetic pictures: anti-aliased shapes by signed distance, textured
// materials, and per pixel who was painted there last and how near.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tensor/random.h"
#include "tensor/tensor.h"

namespace limber::synth {

struct Vec2 {
  double x = 0, y = 0;
};
inline Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
inline Vec2 operator-(Vec2 a, Vec2 b) { return {a.x - b.x, a.y - b.y}; }
inline Vec2 operator*(double s, Vec2 a) { return {s * a.x, s * a.y}; }
double dot(Vec2 a, Vec2 b);
double length(Vec2 a);

struct Colour {
  double r = 0, g = 0, b = 0;  // [0, 1]
};
Colour mix(Colour a, Colour b, double t);
Colour random_colour(Random& random);

// Smooth noise in [0, 1], a function of the position and the seed (lattice values, cubic blend).
double value_noise(double x, double y, uint64_t seed);

// Two colours and how they alternate in a shape's own coordinates, so that cloth moves with a limb.
struct Material {
  enum class Pattern : uint8_t { plain, stripes, checks, spots, clouds };
  Colour first, second;
  Pattern pattern = Pattern::plain;
  double period = 10, angle = 0;  // pixels, radians
  uint64_t seed = 0;
  double rounding = 0.35;  // how much darker the side turned away from the light is
};
Material random_material(Random& random, double period);
Colour colour_at(const Material& m, double u, double v);

// What a painted shape belongs to: 0 is the background, people count from 1, occluders are -1.
struct Layer {
  int owner = 0;
  double depth = 0;  // towards the viewer
};

class Canvas {
 public:
  Canvas(int width, int height);
  int width() const { return width_; }
  int height() const { return height_; }

  // Everything, from a colour per position.
  void fill(const std::function<Colour(double, double)>& colour);
  // A limb: circles of radius ra at a to rb at b and all between.
  void capsule(Vec2 a, Vec2 b, double ra, double rb, const Material& m, const Layer& layer);
  // rx along the direction `angle`, ry across.
  void ellipse(Vec2 centre, double rx, double ry, double angle, const Material& m,
               const Layer& layer);
  // Corners rounded by `radius`, which the shape grows by.
  void polygon(std::span<const Vec2> corners, double radius, const Material& m, const Layer& layer);

  Layer at(int x, int y) const { return layers_[size_t(y) * size_t(width_) + size_t(x)]; }
  const std::vector<Layer>& layers() const { return layers_; }

  // Softened by a small blur, with sensor noise; u8 (H, W, 3), B, G, R.
  Tensor to_image(double blur, double noise, Random& random) const;

 private:
  // Paints where distance(p) < 0, blending over one pixel; `shade` gives the colour.
  template <class Distance, class Shade>
  void paint(Vec2 low, Vec2 high, const Layer& layer, const Distance& distance, const Shade& shade);

  int width_, height_;
  std::vector<Colour> pixels_;
  std::vector<Layer> layers_;
};

}  // namespace limber::synth
