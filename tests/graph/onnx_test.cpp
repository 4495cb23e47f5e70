// What can be said of an ONNX file without another runtime: it is well-formed, every name is
// defined before it is read, and images and weights are channels first.
#include "graph/onnx/onnx_writer.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/compile.h"
#include "nn/scope.h"
#include "pose/estimators/estimator.h"
#include "tests/support/networks.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

// One field of a message: a number, or bytes.
struct Field {
  int id;
  uint64_t number = 0;
  std::string bytes;
};

std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = uint8_t(message.at(at++));
      value |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    Field field{int(key >> 3), 0, {}};
    if ((key & 7) == 0) {
      field.number = varint();
    } else {
      const size_t n = (key & 7) == 5 ? 4 : size_t(varint());
      if (n > message.size() - at) throw std::runtime_error("cut off");
      field.bytes = message.substr(at, n);
      at += n;
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<std::string> texts(const std::string& message, int id) {
  std::vector<std::string> found;
  for (Field& field : fields_of(message))
    if (field.id == id) found.push_back(std::move(field.bytes));
  return found;
}

std::vector<int64_t> numbers(const std::string& message, int id) {
  std::vector<int64_t> found;
  for (const Field& field : fields_of(message))
    if (field.id == id) found.push_back(int64_t(field.number));
  return found;
}

std::string only(const std::vector<std::string>& list) {
  if (list.size() != 1) throw std::runtime_error("one field expected");
  return list[0];
}

class OnnxFile : public testing::TestWithParam<NetworkCase> {};

TEST_P(OnnxFile, DefinesWhatItReads) {
  ParameterStore store(7);
  const auto model = make_estimator(Config::parse(GetParam().model), Scope(store));
  store.train(false);
  const Tensor x = uniform(GetParam().input, -1, 1, 3);
  const Graph traced =
      compile([&](std::span<const Tensor> in) { return model->forward(in[0]); }, {&x, 1});
  if (GetParam().name == std::string("DEKR")) {  // deformable convolution came with opset 19
    EXPECT_THROW(onnx_model(traced, "network"), Error);
    return;
  }
  const std::string file = onnx_model(traced, "network");
  EXPECT_EQ(numbers(only(texts(file, 8)), 2), std::vector<int64_t>{17});
  const std::string graph = only(texts(file, 7));
  std::set<std::string> known{""};
  for (const std::string& input : texts(graph, 11)) known.insert(only(texts(input, 1)));
  EXPECT_TRUE(known.contains("input"));
  for (const std::string& t : texts(graph, 5)) {
    int64_t count = 1;
    for (int64_t d : numbers(t, 1)) count *= d;
    const int64_t size = numbers(t, 2)[0] == 7 ? 8 : 4;
    EXPECT_EQ(int64_t(only(texts(t, 9)).size()), count * size);
    EXPECT_TRUE(known.insert(only(texts(t, 8))).second);
  }
  for (const std::string& node : texts(graph, 1)) {
    for (const std::string& name : texts(node, 1))
      EXPECT_TRUE(known.contains(name)) << only(texts(node, 4)) << " reads " << name;
    for (const std::string& name : texts(node, 2)) EXPECT_TRUE(known.insert(name).second) << name;
  }
  EXPECT_EQ(texts(graph, 12).size(), traced.outputs.size());
  for (const std::string& output : texts(graph, 12))
    EXPECT_TRUE(known.contains(only(texts(output, 1))));
}

INSTANTIATE_TEST_SUITE_P(All, OnnxFile, testing::ValuesIn(network_cases()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace limber::test
