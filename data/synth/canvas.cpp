#include "data/synth/canvas.h"

#include <algorithm>
#include <cmath>

namespace limber::synth {
namespace {

// The light comes from the upper left.
constexpr Vec2 kLight{-0.6, -0.8};

double lattice(int64_t x, int64_t y, uint64_t seed) {
  return double(mix_seed(seed, uint64_t(x) * 0x9E3779B97F4A7C15 + uint64_t(y)) >> 11) * 0x1p-53;
}

double smooth(double t) { return t * t * (3 - 2 * t); }

Vec2 turned(Vec2 p, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {c * p.x + s * p.y, -s * p.x + c * p.y};
}

Colour lit(Colour c, double amount) { return mix({0, 0, 0}, c, std::clamp(amount, 0.0, 1.0)); }

}  // namespace

double dot(Vec2 a, Vec2 b) { return a.x * b.x + a.y * b.y; }
double length(Vec2 a) { return std::hypot(a.x, a.y); }

Colour mix(Colour a, Colour b, double t) {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

Colour random_colour(Random& random) {
  return {random.uniform(0.05, 0.95), random.uniform(0.05, 0.95), random.uniform(0.05, 0.95)};
}

double value_noise(double x, double y, uint64_t seed) {
  const double fx = std::floor(x), fy = std::floor(y);
  const int64_t ix = int64_t(fx), iy = int64_t(fy);
  const double tx = smooth(x - fx), ty = smooth(y - fy);
  const double top = lattice(ix, iy, seed) * (1 - tx) + lattice(ix + 1, iy, seed) * tx;
  const double low = lattice(ix, iy + 1, seed) * (1 - tx) + lattice(ix + 1, iy + 1, seed) * tx;
  return top * (1 - ty) + low * ty;
}

Material random_material(Random& random, double period) {
  Material m;
  m.first = random_colour(random);
  m.second = random.chance(0.5) ? random_colour(random)
                                : mix(m.first, random_colour(random), random.uniform(0.1, 0.4));
  m.pattern = Material::Pattern(random.integer(0, 5));
  m.period = period * random.uniform(0.6, 1.6);
  m.angle = random.uniform(0, 3.14159265);
  m.seed = random.next();
  return m;
}

Colour colour_at(const Material& m, double u, double v) {
  const Vec2 p = turned({u, v}, m.angle);
  const double x = p.x / m.period, y = p.y / m.period;
  switch (m.pattern) {
    case Material::Pattern::plain:
      return m.first;
    case Material::Pattern::stripes:
      return mix(m.first, m.second, x - std::floor(x) < 0.5 ? 0 : 1);
    case Material::Pattern::checks:
      return mix(m.first, m.second, (int64_t(std::floor(x)) + int64_t(std::floor(y))) & 1 ? 1 : 0);
    case Material::Pattern::spots: {
      const double dx = x - std::floor(x) - 0.5, dy = y - std::floor(y) - 0.5;
      return mix(m.first, m.second, dx * dx + dy * dy < 0.09 ? 1 : 0);
    }
    case Material::Pattern::clouds:
      return mix(m.first, m.second, value_noise(2 * x, 2 * y, m.seed));
  }
  return m.first;
}

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      pixels_(size_t(width) * size_t(height)),
      layers_(size_t(width) * size_t(height)) {}

void Canvas::fill(const std::function<Colour(double, double)>& colour) {
  for (int y = 0; y < height_; ++y)
    for (int x = 0; x < width_; ++x) pixels_[size_t(y) * size_t(width_) + size_t(x)] = colour(x, y);
}

template <class Distance, class Shade>
void Canvas::paint(Vec2 low, Vec2 high, const Layer& layer, const Distance& distance,
                   const Shade& shade) {
  const int x0 = std::max(0, int(std::floor(low.x - 1))),
            y0 = std::max(0, int(std::floor(low.y - 1)));
  const int x1 = std::min(width_ - 1, int(std::ceil(high.x + 1)));
  const int y1 = std::min(height_ - 1, int(std::ceil(high.y + 1)));
  for (int y = y0; y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      const Vec2 p{double(x), double(y)};
      const double cover = std::clamp(0.5 - distance(p), 0.0, 1.0);
      if (cover <= 0) continue;
      const size_t at = size_t(y) * size_t(width_) + size_t(x);
      pixels_[at] = mix(pixels_[at], shade(p), cover);
      if (cover > 0.5) layers_[at] = layer;
    }
  }
}

void Canvas::capsule(Vec2 a, Vec2 b, double ra, double rb, const Material& m, const Layer& layer) {
  const Vec2 axis = b - a;
  const double size = std::max(length(axis), 1e-6), radius = std::max(ra, rb);
  const Vec2 along = (1 / size) * axis, across{-along.y, along.x};
  const auto position = [&](Vec2 p) { return std::clamp(dot(p - a, along) / size, 0.0, 1.0); };
  const auto distance = [&](Vec2 p) {
    const double t = position(p);
    return length(p - (a + t * axis)) - (ra + t * (rb - ra));
  };
  const auto shade = [&](Vec2 p) {
    const double side = dot(p - a, across) / radius;
    const double light = 1 - m.rounding * (0.5 + 0.5 * side * (dot(across, kLight) < 0 ? 1 : -1));
    return lit(colour_at(m, dot(p - a, along), dot(p - a, across)), light);
  };
  paint({std::min(a.x, b.x) - radius, std::min(a.y, b.y) - radius},
        {std::max(a.x, b.x) + radius, std::max(a.y, b.y) + radius}, layer, distance, shade);
}

void Canvas::ellipse(Vec2 centre, double rx, double ry, double angle, const Material& m,
                     const Layer& layer) {
  const double reach = std::max(rx, ry);
  const auto distance = [&](Vec2 p) {
    const Vec2 q = turned(p - centre, angle);
    const double k = std::hypot(q.x / rx, q.y / ry);
    return (k - 1) * std::min(rx, ry);
  };
  const auto shade = [&](Vec2 p) {
    const Vec2 q = p - centre;
    const double light = 1 - m.rounding * (0.5 - 0.5 * dot((1 / reach) * q, kLight));
    return lit(colour_at(m, q.x, q.y), light);
  };
  paint({centre.x - reach, centre.y - reach}, {centre.x + reach, centre.y + reach}, layer, distance,
        shade);
}

void Canvas::polygon(std::span<const Vec2> corners, double radius, const Material& m,
                     const Layer& layer) {
  Vec2 low = corners[0], high = corners[0], centre{};
  for (Vec2 c : corners) {
    low = {std::min(low.x, c.x), std::min(low.y, c.y)};
    high = {std::max(high.x, c.x), std::max(high.y, c.y)};
    centre = centre + (1.0 / double(corners.size())) * c;
  }
  // Distance to the outline, negative inside by the even-odd rule.
  const auto distance = [&](Vec2 p) {
    double nearest = 1e30;
    bool inside = false;
    for (size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
      const Vec2 a = corners[j], b = corners[i], e = b - a;
      const double t = std::clamp(dot(p - a, e) / std::max(dot(e, e), 1e-12), 0.0, 1.0);
      nearest = std::min(nearest, length(p - (a + t * e)));
      if ((b.y > p.y) != (a.y > p.y) && p.x < (a.x - b.x) * (p.y - b.y) / (a.y - b.y) + b.x)
        inside = !inside;
    }
    return (inside ? -nearest : nearest) - radius;
  };
  const double reach = std::max(length(high - low) / 2, 1.0);
  const auto shade = [&](Vec2 p) {
    const Vec2 q = p - centre;
    const double light = 1 - m.rounding * (0.5 - 0.5 * dot((1 / reach) * q, kLight));
    return lit(colour_at(m, q.x, q.y), light);
  };
  paint({low.x - radius, low.y - radius}, {high.x + radius, high.y + radius}, layer, distance,
        shade);
}

Tensor Canvas::to_image(double blur, double noise, Random& random) const {
  const Tensor image = Tensor::empty({height_, width_, 3}, DType::u8);
  uint8_t* out = image.data<uint8_t>();
  const auto pixel = [&](int x, int y) {
    return pixels_[size_t(std::clamp(y, 0, height_ - 1)) * size_t(width_) +
                   size_t(std::clamp(x, 0, width_ - 1))];
  };
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      // The mean of the four neighbours, weighted by the blur.
      Colour around{};
      for (const Colour& c : {pixel(x - 1, y), pixel(x + 1, y), pixel(x, y - 1), pixel(x, y + 1)})
        around = {around.r + c.r / 4, around.g + c.g / 4, around.b + c.b / 4};
      const Colour c = mix(pixel(x, y), around, blur);
      const double grain = noise * (random.uniform() + random.uniform() - 1);
      for (double v : {c.b, c.g, c.r})
        *out++ = uint8_t(std::clamp(255 * (v + grain) + 0.5, 0.0, 255.0));
    }
  }
  return image;
}

}  // namespace limber::synth
