#include "data/synth/figure.h"

#include <algorithm>
#include <cmath>

namespace limber::synth {
namespace {

// lo..hi with small amounts more likely than large ones: most people just stand.
double leaning(Random& random, double lo, double hi) {
  const double t = random.uniform();
  return lo + (hi - lo) * t * t;
}

// lo..hi, narrowed around 0 to two fifths for the plainest figures (wide = 0).
double between(Random& random, double lo, double hi, double wide) {
  return random.uniform(lo, hi) * (0.4 + 0.6 * wide);
}

// `side` is +1 for the figure's left, which lies at +x while it faces the viewer (+z).
struct Limb {
  Vec3 middle, end, tip;
};

Limb random_arm(Random& random, const Rotation& torso, Vec3 shoulder, double side, double wide) {
  const double raise = leaning(random, 6, 60 + 90 * wide) * kDegree;  // sideways, from hanging down
  const double swing = between(random, -35, 70, wide) * kDegree;      // forwards
  const double bend = leaning(random, 3, 60 + 75 * wide) * kDegree;   // of the elbow
  const double twist = between(random, -70, 70, wide) * kDegree;      // of the upper arm
  const Rotation upper = torso * about_x(-swing) * about_z(-side * raise) * about_y(side * twist);
  const Rotation lower = upper * about_x(-bend);
  Limb arm;
  arm.middle = shoulder + 0.172 * upper({0, 1, 0});
  arm.end = arm.middle + 0.155 * lower({0, 1, 0});
  arm.tip = arm.end + 0.05 * lower({0, 1, 0});
  return arm;
}

Limb random_leg(Random& random, const Rotation& pelvis, Vec3 hip, double side, double crouch,
                double wide) {
  const double spread = leaning(random, 0, 40) * kDegree;
  const double swing = between(random, -20, 30, wide) * kDegree + crouch * 75 * kDegree;
  const double bend = leaning(random, 0, 35 + 35 * wide) * kDegree + crouch * 80 * kDegree;
  const Rotation thigh = pelvis * about_z(-side * spread) * about_x(-swing);
  const Rotation shank = thigh * about_x(bend);
  Limb leg;
  leg.middle = hip + 0.245 * thigh({0, 1, 0});
  leg.end = leg.middle + 0.235 * shank({0, 1, 0});
  leg.tip = leg.end + 0.075 * shank({side * 0.25, 0.3, 0.9});
  return leg;
}

void add_head(Random& random, const Rotation& torso, Vec3 neck, double wide, Figure& f) {
  const Rotation turn = torso * about_y(between(random, -45, 45, wide) * kDegree) *
                        about_x(random.uniform(-18, 22) * kDegree) *
                        about_z(random.uniform(-15, 15) * kDegree);
  const double r = f.head_radius;
  f.head = neck + turn({0, -1.35 * r, 0.1 * r});
  f.facing = turn({0, 0, 1});
  const auto on_head = [&](double x, double y, double z) { return f.head + r * turn({x, y, z}); };
  f.joints[kNose] = on_head(0, 0.15, 1.02);
  f.joints[kLeftEye] = on_head(0.38, -0.2, 0.88);
  f.joints[kRightEye] = on_head(-0.38, -0.2, 0.88);
  f.joints[kLeftEar] = on_head(0.96, -0.02, 0.02);
  f.joints[kRightEar] = on_head(-0.96, -0.02, 0.02);
}

// One thing to paint, nearest last.
struct Part {
  double depth;
  std::function<void(double)> paint;
};

}  // namespace

Vec2 project(Vec3 joint, Vec2 origin, double height) {
  return {origin.x + height * joint.x, origin.y + height * joint.y};
}

Figure random_figure(Random& random, double difficulty) {
  const double wide = std::min(difficulty, 1.0);
  Figure f;
  f.girth = random.uniform(0.85, 1.25);
  f.head_radius = random.uniform(0.06, 0.072);
  const bool away = random.chance(0.12 * wide);
  const double yaw = (away ? 180 : 0) + random.uniform(-25 - 35 * wide, 25 + 35 * wide);
  const double tilt =
      random.chance(0.15 * wide) ? random.uniform(-60, 60) : between(random, -12, 12, wide);
  const Rotation pelvis = about_z(tilt * kDegree) * about_y(yaw * kDegree);
  const Rotation torso = pelvis * about_x(between(random, -8, 28, wide) * kDegree) *
                         about_z(between(random, -15, 15, wide) * kDegree);
  const double crouch = random.chance(0.2 * wide) ? random.uniform(0.4, 1) : 0;
  const double shoulder = 0.112 * random.uniform(0.9, 1.15),
               hip = 0.062 * random.uniform(0.9, 1.15);
  const Vec3 neck = torso({0, -0.29, 0});
  for (int left = 0; left < 2; ++left) {
    const double side = left == 1 ? 1 : -1;
    const int other = 1 - left;  // right joints follow the left ones
    f.joints[size_t(kLeftShoulder + other)] = neck + torso({side * shoulder, 0.02, 0});
    f.joints[size_t(kLeftHip + other)] = pelvis({side * hip, 0, 0});
    const Limb arm = random_arm(random, torso, f.joints[size_t(kLeftShoulder + other)], side, wide);
    f.joints[size_t(kLeftElbow + other)] = arm.middle;
    f.joints[size_t(kLeftWrist + other)] = arm.end;
    (left == 1 ? f.left_hand : f.right_hand) = arm.tip;
    const Limb leg =
        random_leg(random, pelvis, f.joints[size_t(kLeftHip + other)], side, crouch, wide);
    f.joints[size_t(kLeftKnee + other)] = leg.middle;
    f.joints[size_t(kLeftAnkle + other)] = leg.end;
    (left == 1 ? f.left_toe : f.right_toe) = leg.tip;
  }
  add_head(random, torso, neck + torso({0, -0.03, 0}), wide, f);
  return f;
}

Clothes random_clothes(Random& random, double height) {
  Clothes c;
  const double tone = random.uniform();
  c.skin.first = c.skin.second = mix({0.36, 0.22, 0.15}, {0.96, 0.80, 0.69}, tone);
  c.shirt = random_material(random, height * 0.06);
  c.trousers = random_material(random, height * 0.06);
  c.shoes = random_material(random, height * 0.04);
  c.hair.first = mix({0.08, 0.06, 0.05}, {0.75, 0.6, 0.35}, random.uniform() * random.uniform());
  c.hair.second = mix(c.hair.first, {0, 0, 0}, 0.4);
  c.hair.pattern = Material::Pattern::clouds;
  c.hair.period = height * 0.02;
  c.hair.seed = random.next();
  c.long_sleeves = random.chance(0.55);
  c.long_trousers = random.chance(0.7);
  return c;
}

void paint_figure(Canvas& canvas, const Figure& f, const Clothes& clothes, Vec2 origin,
                  double height, int owner, double depth) {
  std::vector<Part> parts;
  const auto at = [&](Vec3 v) { return project(v, origin, height); };
  const auto limb = [&](Vec3 a, Vec3 b, double ra, double rb, const Material& m) {
    parts.push_back({(a.z + b.z) / 2, [&, a, b, ra, rb, material = &m](double z) {
                       canvas.capsule(at(a), at(b), ra * height * f.girth, rb * height * f.girth,
                                      *material, {owner, depth + z});
                     }});
  };
  const auto& j = f.joints;
  for (int right = 0; right < 2; ++right) {
    const auto joint = [&](int left_joint) { return j[size_t(left_joint + right)]; };
    const Material& sleeve = clothes.long_sleeves ? clothes.shirt : clothes.skin;
    const Material& leg = clothes.long_trousers ? clothes.trousers : clothes.skin;
    limb(joint(kLeftShoulder), joint(kLeftElbow), 0.036, 0.027, clothes.shirt);
    limb(joint(kLeftElbow), joint(kLeftWrist), 0.027, 0.02, sleeve);
    limb(joint(kLeftWrist), right ? f.right_hand : f.left_hand, 0.021, 0.019, clothes.skin);
    limb(joint(kLeftHip), joint(kLeftKnee), 0.05, 0.036, clothes.trousers);
    limb(joint(kLeftKnee), joint(kLeftAnkle), 0.036, 0.024, leg);
    limb(joint(kLeftAnkle), right ? f.right_toe : f.left_toe, 0.026, 0.02, clothes.shoes);
  }
  const Vec3 neck = 0.5 * (j[kLeftShoulder] + j[kRightShoulder]);
  limb(neck, f.head, 0.03, 0.03, clothes.skin);
  parts.push_back(
      {neck.z * 0.5, [&](double z) {
         const Vec2 corners[] = {at(j[kLeftShoulder]), at(j[kRightShoulder]), at(j[kRightHip]),
                                 at(j[kLeftHip])};
         canvas.polygon(corners, 0.036 * height * f.girth, clothes.shirt, {owner, depth + z});
       }});
  parts.push_back(
      {f.head.z, [&](double z) {
         const double r = f.head_radius * height;
         const Layer layer{owner, depth + z + 0.5 * f.head_radius};
         const auto feature = [&](Joint k, double size, const Material& m, double limit) {
           if (j[size_t(k)].z - f.head.z > limit * f.head_radius)
             canvas.ellipse(at(j[size_t(k)]), size * r, size * r, 0, m,
                            {owner, depth + j[size_t(k)].z});
         };
         const Material dark{{0.08, 0.06, 0.06}, {}, Material::Pattern::plain};
         const Material white{{0.95, 0.95, 0.95}, {}, Material::Pattern::plain};
         Material nose = clothes.skin, ear = clothes.skin;
         nose.first = mix(nose.first, {0.7, 0.25, 0.2}, 0.45);
         ear.first = mix(ear.first, {0.6, 0.2, 0.15}, 0.3);
         // Hair behind, the face turned by where it looks, hair above the face.
         canvas.ellipse(at(f.head), 1.08 * r, 1.15 * r, 0, clothes.hair, layer);
         if (f.facing.z > -0.25) {
           const Vec2 face = at(f.head + 0.35 * f.head_radius * f.facing);
           canvas.ellipse({face.x, face.y + 0.12 * r}, 0.82 * r, 0.98 * r, 0, clothes.skin, layer);
         }
         feature(kLeftEar, 0.22, ear, -0.35);
         feature(kRightEar, 0.22, ear, -0.35);
         for (Joint eye : {kLeftEye, kRightEye}) {
           feature(eye, 0.2, white, 0.15);
           feature(eye, 0.12, dark, 0.15);
         }
         feature(kNose, 0.17, nose, 0.1);
       }});
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.depth < b.depth; });
  for (const Part& part : parts) part.paint(part.depth);
}

}  // namespace limber::synth
