#include "infer/model_file.h"

#include <cstring>

#include "graph/graph_file.h"
#include "tensor/mapped_file.h"

namespace limber {
namespace {

void read_preprocessing(ByteReader& in, Preprocessing& p) {
  p.width = in.get<int32_t>();
  p.height = in.get<int32_t>();
  if (p.width < 1 || p.height < 1 || p.width > 1 << 14 || p.height > 1 << 14)
    in.fail_here(str("an input of ", p.width, " x ", p.height));
  for (float& v : p.mean) v = in.get<float>();
  for (float& v : p.deviation) v = in.get<float>();
  p.rgb = in.get<uint8_t>() != 0;
  p.padding = in.get<double>();
  p.udp = in.get<uint8_t>() != 0;
}

void read_decoder(ByteReader& in, DecoderOptions& d) {
  const uint8_t kind = in.get<uint8_t>();
  if (kind >= kDecodings) in.fail_here(str("decoding ", int(kind)));
  d.kind = Decoding(kind);
  d.blur_kernel = in.get<int32_t>();
  if (d.blur_kernel < 1 || d.blur_kernel > 999 || d.blur_kernel % 2 == 0)
    in.fail_here(str("a blur of ", d.blur_kernel));
  d.split_ratio = in.get<double>();
  if (!(d.split_ratio > 0)) in.fail_here(str("a split ratio of ", d.split_ratio));
}

// The constants of a file, each read once: the memory that the file is mapped to goes as they come.
std::vector<Tensor> read_constants(ByteReader& in, const MappedFile& file) {
  const std::span<const std::byte> data = file.bytes();
  std::vector<Tensor> constants(in.count(18));
  for (Tensor& t : constants) {
    const uint8_t dtype = in.get<uint8_t>();
    if (dtype > uint8_t(DType::boolean)) in.fail_here(str("element type ", int(dtype)));
    const Shape shape = in.shape();
    const uint64_t offset = in.get<uint64_t>();
    const uint64_t bytes = uint64_t(shape.numel()) * size_of(DType(dtype));
    if (offset % 64 != 0 || offset > data.size() || bytes > data.size() - offset)
      in.fail_here(str("a constant of ", bytes, " bytes at ", offset));
    t = Tensor::empty(shape, DType(dtype));
    std::memcpy(t.raw(), data.data() + offset, bytes);
    file.release(data.subspan(offset, bytes));
  }
  return constants;
}

// Outputs must be what the decoder reads.
void check_outputs(const InferenceModel& model, const Graph& graph, const std::string& path) {
  check_input(graph.inputs.size() == 1 && !graph.outputs.empty(), path,
              ": damaged: ", graph.inputs.size(), " inputs and ", graph.outputs.size(), " outputs");
  const Shape& x = graph.values[size_t(graph.inputs[0])].spec.shape;
  check_input(x.rank() == 4 && x[0] > 0 && x[1] == model.input.height &&
                  x[2] == model.input.width && x[3] == 3,
              path, ": damaged: input ", x);
  const int64_t N = x[0], K = int64_t(model.keypoints.size());
  const auto output = [&](size_t i) -> const Spec& {
    check_input(i < graph.outputs.size(), path, ": damaged: output ", i, " is missing");
    return graph.values[size_t(graph.outputs[i])].spec;
  };
  bool fits = output(0).dtype == DType::f32;
  const Shape& y = output(0).shape;
  switch (model.decoder.kind) {
    case Decoding::heatmap:
    case Decoding::dark:
    case Decoding::udp:
    case Decoding::megvii:
      fits = fits && y.rank() == 4 && y == Shape{N, K, y[2], y[3]} && y[2] > 1 && y[3] > 1;
      break;
    case Decoding::simcc: {
      const Spec& second = output(1);
      fits = fits && second.dtype == DType::f32 && y.rank() == 3 && second.shape.rank() == 3 &&
             y == Shape{N, K, y[2]} && second.shape == Shape{N, K, second.shape[2]} && y[2] > 0 &&
             second.shape[2] > 0;
      break;
    }
    case Decoding::coordinates:
      fits = fits && y == Shape{N, K, 2};
      break;
    case Decoding::deviations:
      fits = fits && y == Shape{N, K, 4};
      break;
  }
  check_input(fits, path, ": damaged: output ", y, " is not what its decoder reads");
}

}  // namespace

InferenceModel read_model(const std::string& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  const std::span<const uint8_t> all(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  check_input(all.size() >= 24 && std::memcmp(all.data(), "LIMBER\r\n", 8) == 0, path,
              ": not a .limber file");
  ByteReader head(all.subspan(8, 16), path);
  const auto version = head.get<uint32_t>();
  check_input(version >= 1 && version <= kModelFileVersion, path, ": version ", version,
              " of the format; this program reads up to ", kModelFileVersion);
  const auto records = head.get<uint32_t>();
  const auto length = head.get<uint64_t>();
  check_input(length == all.size() && records <= all.size() - 24, path, ": ", all.size(),
              " bytes of ", length, ": cut off");
  ByteReader in(all.subspan(24, records), path);
  InferenceModel model;
  model.file_bytes = all.size();
  model.name = in.text();
  read_preprocessing(in, model.input);
  read_decoder(in, model.decoder);
  model.keypoints.resize(in.count(4));
  for (std::string& name : model.keypoints) name = in.text();
  const std::vector<Tensor> constants = read_constants(in, file);
  WidenedConstants wide;
  const size_t graphs = in.count(16);
  for (size_t i = 0; i < graphs; ++i) {
    try {
      model.graphs.push_back(read_graph(in, constants, wide, version));
    } catch (const Error& error) {
      fail_input(path, ": ", error.what());
    }
    check_outputs(model, model.graphs.back(), path);
  }
  check_input(!model.graphs.empty() && !model.keypoints.empty(), path, ": damaged: empty");
  return model;
}

}  // namespace limber
