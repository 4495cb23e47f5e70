#include "graph/op_attributes.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tensor/ops/attention.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/deform_attention.h"
#include "tensor/ops/deform_conv.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/fused.h"
#include "tensor/ops/index.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/pool.h"
#include "tensor/ops/prelu.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/resize.h"
#include "tensor/ops/shape.h"
#include "tensor/ops/softmax.h"

namespace limber {
namespace {

// ---- the table: OP(struct, the constructor's arguments of a blank one, ("name", attribute)...).
// Attributes are visited, written and read in this order; (group) stands for all of a GROUP's.

#define GROUP(type, ...)                             \
  template <class V>                                 \
  void visit([[maybe_unused]] type& o, V& visitor) { \
    static_cast<void>(visitor __VA_ARGS__);          \
  }
#define OP(type, arguments, ...)                                                        \
  std::shared_ptr<type> blank(const type*) { return std::make_shared<type> arguments; } \
  GROUP(type, __VA_ARGS__)

GROUP(kernels::UnaryArgs, ("f", o.f)("a", o.a)("b", o.b))
GROUP(kernels::WindowAxis,
      ("in", o.in)("out", o.out)("kernel", o.kernel)("stride", o.stride)("padding", o.padding)(
          "count_padding", o.count_padding)("adaptive", o.adaptive))
GROUP(kernels::ResizeShape, ("N", o.N)("H", o.H)("W", o.W)("C", o.C)("h", o.h)("w", o.w)(
                                "filter", o.filter)("align_corners", o.align_corners))
GROUP(ConvGeometry,
      ("stride", o.stride)("padding", o.padding)("dilation", o.dilation)("groups", o.groups))
GROUP(FusedTail, ("acts", o.acts)(o.act)("packed", o.packed)("weight", o.weight))

OP(UnaryOp, (kernels::UnaryArgs{kernels::Unary::relu}), (o.args))
OP(BinaryOp, (kernels::Binary::add, Shape{}, Shape{}), ("f", o.f)("a", o.shape_a)("b", o.shape_b))
OP(WhereOp, ())
OP(ReshapeOp, (Shape{}, Shape{}), ("from", o.from)("to", o.to))
OP(PermuteOp, (std::span<const int>{}), ("dims", o.dims))
OP(ExpandOp, (Shape{}, Shape{}), ("from", o.from)("to", o.to))
OP(SliceOp, (Shape{}, 0, 0, 0, 1),
   ("from", o.from)("dim", o.dim)("begin", o.begin)("count", o.count)("step", o.step))
OP(ConcatOp, (0, std::vector<int64_t>{}), ("dim", o.dim)("extents", o.extents))
OP(SplitOp, (Shape{}, 0, std::span<const int64_t>{}),
   ("from", o.from)("dim", o.dim)("extents", o.extents))
OP(PadOp, (std::span<const std::pair<int64_t, int64_t>>{}, 0.0),
   ("amounts", o.amounts)("value", o.value))
OP(GatherOp, (Shape{}, 0, false), ("from", o.from)("dim", o.dim)("shared", o.shared))
OP(ExtremeOp, (Shape{}, 0, false), ("from", o.from)("dim", o.dim)("largest", o.largest))
OP(TopKOp, (Shape{}, 1), ("from", o.from)("k", o.k))
OP(SumOp, (Shape{}, 0, 0, 1.0),
   ("from", o.from)("first", o.first)("last", o.last)("factor", o.factor))
OP(SoftmaxOp, ())
OP(LogSoftmaxOp, ())
OP(MatMulOp, (false, false), ("trans_a", o.trans_a)("trans_b", o.trans_b))
OP(AttentionOp, (0.0), ("scale", o.scale))
OP(MultiScaleDeformAttnOp, (std::vector<std::pair<int64_t, int64_t>>{}), ("maps", o.maps))
OP(DropoutOp, (Tensor(), 1.0),
   .refuse("Dropout: a model in evaluation mode drops nothing; graphs do not hold it"))
OP(Conv2dOp, (ConvGeometry{}), (o.geometry))
OP(ConvTranspose2dOp, (ConvGeometry{}, std::array<int, 2>{}),
   (o.geometry)("output_padding", o.output_padding))
OP(DeformConv2dOp, (ConvGeometry{}, 1), (o.geometry)("offset_groups", o.offset_groups))
OP(BatchNormOp, (false, 0.0, 0.0), ("training", o.training)("momentum", o.momentum)("eps", o.eps))
OP(GroupNormOp, (1, 0.0), ("groups", o.groups)("eps", o.eps))
OP(LayerNormOp, (0.0), ("eps", o.eps))
OP(ScaleNormOp, (0.0), ("eps", o.eps))
OP(MaxPool2dOp, (kernels::WindowAxis{}, kernels::WindowAxis{}), (o.rows)(o.columns))
OP(AvgPool2dOp, (kernels::WindowAxis{}, kernels::WindowAxis{}), (o.rows)(o.columns))
OP(ResizeOp, (kernels::ResizeShape{}), (o.shape))
OP(PReluOp, ())
OP(LinearOp, ())
OP(CastOp, (DType::f32, DType::f32),
   .refuse("Cast: made for mixed precision in training; graphs do not hold it"))
OP(ConvBiasActOp, (ConvGeometry{}), (o.geometry)(o.tail))
OP(ConvTransposeBiasActOp, (ConvGeometry{}, std::array<int, 2>{}),
   (o.geometry)("output_padding", o.output_padding)(o.tail))
OP(LinearBiasActOp, (), (o.tail))
#undef OP
#undef GROUP

// ---- the visitors

// What visitors share: calls chain, groups are entered. `V` visits a single field.
template <class V>
struct Visitor {
  template <class T>
  V& operator()(const char* name, T& field) {
    self().field(name, field);
    return self();
  }
  template <class T>
  V& operator()(T& group) {
    visit(group, self());
    return self();
  }
  void refuse(const char* why) { fail(why); }

 private:
  V& self() { return static_cast<V&>(*this); }
};

class Writer : public Visitor<Writer> {
 public:
  std::vector<uint8_t> bytes;
  template <class T>
  void field(const char*, const T& value) {
    put(value);
  }

 private:
  template <class T>
  void raw(T value) {
    const size_t at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  template <class T>
  requires std::is_enum_v<T>
  void put(T value) { raw(uint8_t(value)); }
  void put(bool value) { raw(uint8_t(value)); }
  void put(int value) { raw(int64_t(value)); }
  void put(int64_t value) { raw(value); }
  void put(double value) { raw(value); }
  void put(const Shape& shape) {
    raw(uint8_t(shape.rank()));
    for (int64_t d : shape.dims()) raw(d);
  }
  template <size_t N>
  void put(const std::array<int, N>& list) {
    for (int v : list) put(v);
  }
  void put(const std::vector<int64_t>& list) {
    raw(uint32_t(list.size()));
    for (int64_t v : list) raw(v);
  }
  void put(const std::vector<std::pair<int64_t, int64_t>>& list) {
    raw(uint32_t(list.size()));
    for (const auto& [a, b] : list) raw(a), raw(b);
  }
};

class Reader : public Visitor<Reader> {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  template <class T>
  void field(const char* name, T& value) {
    name_ = name;
    get(value);
  }

 private:
  template <class T>
  T raw() {
    check_input(rest_.size() >= sizeof(T), "attribute ", name_, ": cut off");
    T value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  template <class T>
  requires std::is_enum_v<T>
  void get(T& value) { value = T(raw<uint8_t>()); }
  void get(bool& value) { value = raw<uint8_t>() != 0; }
  void get(int& value) {
    const int64_t wide = raw<int64_t>();
    value = int(wide);
    check_input(value == wide, "attribute ", name_, ": ", wide, " is out of range");
  }
  void get(int64_t& value) { value = raw<int64_t>(); }
  void get(double& value) { value = raw<double>(); }
  void get(Shape& shape) {
    const size_t rank = raw<uint8_t>();
    check_input(rank <= size_t(Shape::kMaxRank), "attribute ", name_, ": ", rank, " dimensions");
    std::array<int64_t, size_t(Shape::kMaxRank)> dims{};
    for (size_t d = 0; d < rank; ++d) {
      dims[d] = raw<int64_t>();
      check_input(dims[d] >= 0, "attribute ", name_, ": extent ", dims[d]);
    }
    shape = Shape(std::span<const int64_t>(dims.data(), rank));
  }
  template <size_t N>
  void get(std::array<int, N>& list) {
    for (int& v : list) get(v);
  }
  size_t length(size_t item) {
    const size_t n = raw<uint32_t>();
    check_input(n <= rest_.size() / item, "attribute ", name_, ": cut off");
    return n;
  }
  void get(std::vector<int64_t>& list) {
    list.resize(length(8));
    for (int64_t& v : list) v = raw<int64_t>();
  }
  void get(std::vector<std::pair<int64_t, int64_t>>& list) {
    list.resize(length(16));
    for (auto& [a, b] : list) {
      a = raw<int64_t>();
      b = raw<int64_t>();
    }
  }

  std::span<const uint8_t> rest_;
  const char* name_ = "";
};

class Teller : public Visitor<Teller> {
 public:
  std::string text;
  template <class T>
  void field(const char* name, const T& value) {
    text += str(text.empty() ? "" : ", ", name);
    put(value);
  }

 private:
  template <class T>
  requires std::is_enum_v<T>
  void put(T value) { put(int64_t(value)); }
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { text += str(" ", value); }
  void put(const Shape& shape) { text += str(" ", shape); }
  void put(const std::pair<int64_t, int64_t>& pair) {
    put(pair.first);
    put(pair.second);
  }
  template <class List>
  requires requires(const List& list) { list.begin(); }
  void put(const List& list) {
    for (const auto& v : list) put(v);
  }
};

// Visitors take the fields by reference; those that only look do not write.
template <class V>
void visit_any(const Op& op, V& v) {
  switch (op.kind()) {
#define LIMBER_OP(name, ...) \
  case OpKind::name:         \
    return visit(const_cast<name##Op&>(static_cast<const name##Op&>(op)), v);
#include "tensor/ops.def"
#undef LIMBER_OP
  }
}

template <class O>
std::shared_ptr<const Op> read_op(std::span<const uint8_t> bytes) {
  const std::shared_ptr<O> op = blank(static_cast<const O*>(nullptr));
  Reader reader(bytes);
  visit(*op, reader);
  check_input(reader.done(), op->name(), ": more bytes than attributes");
  return op;
}

}  // namespace

std::vector<uint8_t> attribute_bytes(const Op& op) {
  Writer writer;
  visit_any(op, writer);
  return std::move(writer.bytes);
}

std::shared_ptr<const Op> op_from_bytes(OpKind kind, std::span<const uint8_t> bytes) {
  switch (kind) {
#define LIMBER_OP(name, ...) \
  case OpKind::name:         \
    return read_op<name##Op>(bytes);
#include "tensor/ops.def"
#undef LIMBER_OP
  }
  fail_input("no op has the number ", int(kind));
}

std::string describe_attributes(const Op& op) {
  Teller teller;
  visit_any(op, teller);
  return std::move(teller.text);
}

bool same_op(const Op& a, const Op& b) {
  return a.kind() == b.kind() && attribute_bytes(a) == attribute_bytes(b);
}

}  // namespace limber
