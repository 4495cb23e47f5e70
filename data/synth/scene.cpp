#include "data/synth/scene.h"

#include <algorithm>
#include <cmath>

namespace limber::synth {
namespace {

struct Placed {
  Figure figure;
  Vec2 origin, low, high;  // low, high: around the joints, from the origin
  double height;
};

Vec2 random_point(Random& random, const Canvas& canvas) {
  return {random.uniform(0, canvas.width()), random.uniform(0, canvas.height())};
}

void paint_background(Canvas& canvas, Random& random, double clutter) {
  const Colour a = random_colour(random), b = random_colour(random);
  const double angle = random.uniform(0, 6.28318), scale = random.uniform(20, 90);
  const uint64_t seed = random.next();
  const double reach = std::hypot(canvas.width(), canvas.height());
  canvas.fill([&](double x, double y) {
    const double slope = 0.5 + (x * std::cos(angle) + y * std::sin(angle)) / reach;
    const double cloud = value_noise(x / scale, y / scale, seed) +
                         0.5 * value_noise(2.3 * x / scale, 2.3 * y / scale, seed + 1);
    return mix(a, b, std::clamp(0.6 * slope + clutter * 0.5 * (cloud - 0.75), 0.0, 1.0));
  });
}

// Something a person could be taken for, or hide behind: a bent limb, a box, a ball.
void paint_thing(Canvas& canvas, Random& random, const Layer& layer, double size) {
  const Vec2 p = random_point(random, canvas);
  const Material m = random_material(random, size * 0.3);
  const double angle = random.uniform(0, 6.28318), bend = angle + random.uniform(-1.5, 1.5);
  switch (random.integer(0, 4)) {
    case 0:
    case 1: {
      const Vec2 q = p + size * Vec2{std::cos(angle), std::sin(angle)};
      const Vec2 r = q + size * 0.9 * Vec2{std::cos(bend), std::sin(bend)};
      const double thick = size * random.uniform(0.12, 0.2);
      canvas.capsule(p, q, thick, thick * 0.8, m, layer);
      canvas.capsule(q, r, thick * 0.8, thick * 0.55, m, layer);
      break;
    }
    case 2: {
      const double w = size * random.uniform(0.3, 0.9), h = size * random.uniform(0.3, 0.9);
      const Vec2 u{std::cos(angle), std::sin(angle)}, v{-u.y, u.x};
      const Vec2 corners[] = {p + w * u + h * v, p + (-w) * u + h * v, p + (-w) * u + (-h) * v,
                              p + w * u + (-h) * v};
      canvas.polygon(corners, 0, m, layer);
      break;
    }
    default:
      canvas.ellipse(p, size * random.uniform(0.2, 0.7), size * random.uniform(0.2, 0.7), angle, m,
                     layer);
  }
}

double overlap(const Placed& a, const Placed& b) {
  const Vec2 a0 = a.origin + a.low, a1 = a.origin + a.high, b0 = b.origin + b.low,
             b1 = b.origin + b.high;
  const double w = std::min(a1.x, b1.x) - std::max(a0.x, b0.x);
  const double h = std::min(a1.y, b1.y) - std::max(a0.y, b0.y);
  return w > 0 && h > 0 ? w * h : 0;
}

Vec2 random_place(Random& random, const Canvas& canvas, const Placed& p) {
  // Where the whole figure fits it mostly stays inside; now and then an edge cuts it.
  const double slack = random.chance(0.15) ? 0.25 * p.height : -0.03 * p.height;
  const auto within = [&](double lo, double hi) {
    return lo < hi ? random.uniform(lo, hi) : (lo + hi) / 2;
  };
  return {within(-p.low.x - slack, canvas.width() - p.high.x + slack),
          within(-p.low.y - slack, canvas.height() - p.high.y + slack)};
}

Placed place_person(Random& random, const Canvas& canvas, const SceneOptions& o,
                    const std::vector<Placed>& others) {
  Placed p;
  p.figure = random_figure(random, o.difficulty);
  p.height = canvas.height() * random.uniform(o.min_height, o.max_height);
  p.low = {1e9, 1e9};
  p.high = {-1e9, -1e9};
  for (const Vec3& joint : p.figure.joints) {
    const Vec2 at = project(joint, {}, p.height);
    p.low = {std::min(p.low.x, at.x), std::min(p.low.y, at.y)};
    p.high = {std::max(p.high.x, at.x), std::max(p.high.y, at.y)};
  }
  // Easy pictures try more places for one where nobody stands.
  const int tries = 1 + int(std::lround(8 * (1 - std::min(o.difficulty, 1.0))));
  double least = 1e300;
  for (int i = 0; i < tries; ++i) {
    Placed there = p;
    there.origin = random_place(random, canvas, p);
    double shared = 0;
    for (const Placed& other : others) shared += overlap(there, other);
    if (shared < least) {
      least = shared;
      p.origin = there.origin;
    }
  }
  return p;
}

// What of a figure is on the picture when nothing is in front of it.
struct Extent {
  int x0 = 1 << 30, y0 = 1 << 30, x1 = -1, y1 = -1;
  int64_t pixels = 0;
};

Extent extent_of(const Canvas& canvas, int owner) {
  Extent e;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) {
      if (canvas.at(x, y).owner != owner) continue;
      e.x0 = std::min(e.x0, x);
      e.y0 = std::min(e.y0, y);
      e.x1 = std::max(e.x1, x);
      e.y1 = std::max(e.y1, y);
      ++e.pixels;
    }
  return e;
}

// A key point is visible where its own figure is on top and no part of it lies clearly in front.
int visibility(const Canvas& canvas, const Placed& p, int joint, int owner, double depth, bool away,
               Vec2 at, Random& random) {
  const int x = int(std::lround(at.x)), y = int(std::lround(at.y));
  if (x < 0 || y < 0 || x >= canvas.width() || y >= canvas.height()) return 0;
  // Nobody labels the face of a figure seen from behind.
  if (away && joint <= kRightEye) return 0;
  const Layer top = canvas.at(x, y);
  const double own = depth + p.figure.joints[size_t(joint)].z;
  if (top.owner == owner && top.depth < own + 0.1) return 2;
  if (top.owner == owner) return 1;
  return random.chance(0.6) ? 1 : 0;  // behind others: labelled where it can be guessed
}

Person annotate(const Canvas& canvas, const Placed& p, const Extent& whole, int owner, double depth,
                Random& random) {
  Person person;
  const Extent visible = extent_of(canvas, owner);
  person.area = double(visible.pixels);
  person.bbox = {double(whole.x0), double(whole.y0), double(whole.x1 - whole.x0 + 1),
                 double(whole.y1 - whole.y0 + 1)};
  const bool hidden = visible.pixels * 3 < whole.pixels;
  for (int k = 0; k < kJoints; ++k) {
    const Vec2 at = project(p.figure.joints[size_t(k)], p.origin, p.height);
    const int v =
        hidden ? 0 : visibility(canvas, p, k, owner, depth, p.figure.facing.z < -0.3, at, random);
    if (v == 0) continue;
    const size_t slot = 3 * size_t(k);
    person.keypoints[slot] = std::round(at.x * 100) / 100;
    person.keypoints[slot + 1] = std::round(at.y * 100) / 100;
    person.keypoints[slot + 2] = v;
    ++person.num_keypoints;
  }
  return person;
}

}  // namespace

Scene make_scene(const SceneOptions& o, uint64_t seed) {
  check(o.width >= 16 && o.height >= 16 && o.min_people >= 0 && o.max_people >= o.min_people,
        "synth: a picture of ", o.width, " x ", o.height, " with ", o.min_people, " to ",
        o.max_people, " people cannot be made");
  Random random(seed);
  Canvas canvas(o.width, o.height);
  paint_background(canvas, random, o.difficulty);
  const auto things = [&](double mean) {
    return int64_t(mean * o.difficulty * random.uniform(0.5, 1.5));
  };
  for (int64_t i = things(9); i > 0; --i)
    paint_thing(canvas, random, {}, o.height * random.uniform(0.04, 0.2));
  const int count = int(random.integer(o.min_people, o.max_people + 1));
  std::vector<Placed> people;
  std::vector<Extent> extents;
  for (int i = 0; i < count; ++i) {
    people.push_back(place_person(random, canvas, o, people));
    const Placed& p = people.back();
    const Clothes clothes = random_clothes(random, p.height);
    paint_figure(canvas, p.figure, clothes, p.origin, p.height, i + 1, 10.0 * (i + 1));
    extents.push_back(extent_of(canvas, i + 1));
  }
  for (int64_t i = things(1.2); i > 0; --i)
    paint_thing(canvas, random, {-1, 1e6}, o.height * random.uniform(0.05, 0.13));
  Scene scene;
  for (int i = 0; i < count; ++i) {
    if (extents[size_t(i)].pixels == 0) continue;
    scene.people.push_back(
        annotate(canvas, people[size_t(i)], extents[size_t(i)], i + 1, 10.0 * (i + 1), random));
  }
  scene.image = canvas.to_image(random.uniform(0.1, 0.5), random.uniform(0.005, 0.04), random);
  return scene;
}

}  // namespace limber::synth
