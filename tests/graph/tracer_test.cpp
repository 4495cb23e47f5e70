// What can be traced, and what is refused.
#include "graph/tracer.h"

#include <gtest/gtest.h>

#include "graph/op_attributes.h"
#include "tensor/ops.h"
#include "tests/ops/cases.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

std::string refusal(const Network& network) {
  const Tensor input = uniform({2, 3}, -1, 1, 7);
  try {
    trace(network, {&input, 1});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Tracer, WritesDownOpsAndConstants) {
  const Tensor weight = uniform({4, 3}, -1, 1, 3), input = uniform({2, 3}, -1, 1, 4);
  const Graph graph = trace(
      [&](std::span<const Tensor> in) -> NamedTensors {
        const Tensor y = relu(linear(in[0], weight, {}));
        return {{"y", y}, {"sum", y + y}};
      },
      {&input, 1});
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[0].op->kind(), OpKind::Linear);
  EXPECT_EQ(graph.nodes[0].inputs[2], kNoValue);
  EXPECT_EQ(graph.values[size_t(graph.nodes[0].inputs[1])].constant.id(), weight.id());
  EXPECT_EQ(graph.nodes[2].inputs[0], graph.nodes[2].inputs[1]);
  EXPECT_EQ(graph.output_names, (std::vector<std::string>{"y", "sum"}));
  EXPECT_EQ(current_recorder(), nullptr);
}

TEST(Tracer, RefusesDecisionsOnNumbers) {
  EXPECT_NE(refusal([](std::span<const Tensor> in) -> NamedTensors {
              return {{"", in[0].data<float>()[0] < 0 ? relu(in[0]) : square(in[0])}};
            }).find("depends on its input"),
            std::string::npos);
  EXPECT_NE(refusal([](std::span<const Tensor> in) -> NamedTensors {
              return {{"", in[0] * sum(in[0]).item()}};
            }).find("depends on its input"),
            std::string::npos);
}

TEST(Tracer, RefusesNumbersComputedOutsideOfOps) {
  EXPECT_NE(refusal([](std::span<const Tensor> in) -> NamedTensors {
              return {{"", relu(in[0].clone())}};
            }).find("no op made"),
            std::string::npos);
  EXPECT_NE(refusal([](std::span<const Tensor> in) -> NamedTensors {
              return {{"", relu(square(in[0]).alias({3}))}};
            }).find("no op made"),
            std::string::npos);
}

TEST(Tracer, RefusesTraining) {
  const Tensor w = Tensor::full({3}, 1);
  EXPECT_NE(refusal([&](std::span<const Tensor> in) -> NamedTensors {
              return {{"", batch_norm(in[0], w, w, {}, {}, true)}};
            }).find("training mode"),
            std::string::npos);
}

// Every op of every test case survives its bytes.
TEST(OpAttributes, BytesMakeTheSameOp) {
  struct Watch : Recorder {
    void record(const std::shared_ptr<const Op>& op, std::span<const Tensor>,
                std::span<const Tensor>) override {
      if (op->kind() == OpKind::Dropout || op->kind() == OpKind::Cast) return;
      const std::vector<uint8_t> bytes = attribute_bytes(*op);
      EXPECT_TRUE(same_op(*op, *op_from_bytes(op->kind(), bytes))) << op->name();
      ++seen;
      for (size_t cut = 0; cut < bytes.size(); ++cut)
        EXPECT_THROW(op_from_bytes(op->kind(), std::span(bytes).first(cut)), InputError);
    }
    int seen = 0;
  } watch;
  for (const OpCase& row : op_cases()) {
    std::vector<Tensor> inputs;
    for (const Input& in : row.inputs) inputs.push_back(uniform(in.shape, in.lo, in.hi, 3));
    current_recorder() = &watch;
    row.call(inputs);
    current_recorder() = nullptr;
  }
  EXPECT_GT(watch.seen, 200);
}

}  // namespace
}  // namespace limber::test
