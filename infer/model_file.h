// A .limber file: everything between a picture's boxes and the key points in it, and nothing else.
//
//   bytes 0-7   "LIMBER\r\n"
//   bytes 8-11  version of the format, u32
//   bytes 12-15 length of the records, u32
//   bytes 16-23 length of the file, u64
//   the records (graph/bytes.h): name, preprocessing, decoding, names of the key points, the table
//   of constants, the graphs by batch size
//   the numbers of the constants, each at a multiple of 64
//
// Numbers are little endian. A reader knows the versions up to its own; it refuses later ones.
// Version 1 had neither int8 weights nor ranges.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace limber {

constexpr uint32_t kModelFileVersion = 2;

// From a picture and a box to the network's input.
struct Preprocessing {
  int width = 0, height = 0;  // of the input
  std::array<float, 3> mean{}, deviation{1, 1, 1};
  bool rgb = true;        // whether the network reads R, G, B; else B, G, R
  double padding = 1.25;  // how much larger than the box the crop is
  bool udp = false;       // pixel centres on pixel centres (arXiv 1911.07524)
};

enum class Decoding : uint8_t {
  heatmap,      // maps (N, K, H, W), a quarter pixel towards the larger neighbour
  dark,         // the same, to the top of a fitted paraboloid (arXiv 1910.06278)
  udp,          // UDP's variant of it
  megvii,       // maps times 255, blurred first
  simcc,        // logits (N, K, W s), (N, K, H s)
  coordinates,  // (N, K, 2) in [0, 1]
  deviations,   // (N, K, 4): coordinates and logits of their deviations
};
constexpr int kDecodings = 7;

struct DecoderOptions {
  Decoding kind = Decoding::heatmap;
  int blur_kernel = 11;    // of dark, udp, megvii
  double split_ratio = 2;  // of simcc: bins per pixel
};

struct InferenceModel {
  std::string name;
  Preprocessing input;
  DecoderOptions decoder;
  std::vector<std::string> keypoints;
  // By ascending batch size, weights not packed, in the numbers that narrow_weights() gave them.
  std::vector<Graph> graphs;
  size_t file_bytes = 0;
};

// Throws InputError where the disk does not take it; never leaves half a file.
void write_model(const std::string& path, const InferenceModel& model);

// Throws InputError naming the file and the place where it is not such a file.
InferenceModel read_model(const std::string& path);

}  // namespace limber
