// Writing .limber files: apart from reading them, so that programs that only read carry none of it.
#include "graph/graph_file.h"
#include "infer/model_file.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

void put_constants(ByteWriter& out, const std::vector<Tensor>& constants, size_t first) {
  size_t at = first;
  out.put(uint32_t(constants.size()));
  for (const Tensor& t : constants) {
    out.put(uint8_t(t.dtype()));
    out.put(t.shape());
    out.put(uint64_t(at));
    at = aligned(at + t.bytes());
  }
}

}  // namespace

void write_model(const std::string& path, const InferenceModel& model) {
  ConstantPool pool;
  ByteWriter graphs;
  graphs.put(uint32_t(model.graphs.size()));
  for (const Graph& graph : model.graphs) write_graph(graphs, graph, pool);

  const auto records = [&](size_t first) {
    ByteWriter out;
    out.put(model.name);
    out.put(int32_t(model.input.width));
    out.put(int32_t(model.input.height));
    for (float v : model.input.mean) out.put(v);
    for (float v : model.input.deviation) out.put(v);
    out.put(uint8_t(model.input.rgb));
    out.put(model.input.padding);
    out.put(uint8_t(model.input.udp));
    out.put(uint8_t(model.decoder.kind));
    out.put(int32_t(model.decoder.blur_kernel));
    out.put(model.decoder.split_ratio);
    out.put(uint32_t(model.keypoints.size()));
    for (const std::string& name : model.keypoints) out.put(name);
    put_constants(out, pool.all(), first);
    std::string text(reinterpret_cast<const char*>(out.bytes().data()), out.bytes().size());
    return text.append(reinterpret_cast<const char*>(graphs.bytes().data()), graphs.bytes().size());
  };
  // Offsets have a fixed width: the length does not depend on where the numbers begin.
  const size_t first = aligned(24 + records(0).size());
  const std::string meta = records(first);
  std::string file(24, '\0');
  file += meta;
  for (const Tensor& t : pool.all()) {
    file.resize(aligned(file.size()));
    file.append(static_cast<const char*>(t.raw()), t.bytes());
  }
  ByteWriter head;
  head.put(kModelFileVersion);
  head.put(uint32_t(meta.size()));
  head.put(uint64_t(file.size()));
  file.replace(0, 8, "LIMBER\r\n");
  file.replace(8, 16, reinterpret_cast<const char*>(head.bytes().data()), 16);
  write_file_atomically(path, file);
}

}  // namespace limber
