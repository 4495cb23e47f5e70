#include "graph/op_attributes.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tensor/ops/attention.h"
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

// ---- what each op has: v(name, field) for all of it. V reads or writes.

template <class V>
void visit(kernels::UnaryArgs& a, V& v) {
  v("f", a.f);
  v("a", a.a);
  v("b", a.b);
}
template <class V>
void visit(kernels::WindowAxis& a, V& v) {
  v("in", a.in);
  v("out", a.out);
  v("kernel", a.kernel);
  v("stride", a.stride);
  v("padding", a.padding);
  v("count_padding", a.count_padding);
  v("adaptive", a.adaptive);
}
template <class V>
void visit(ConvGeometry& g, V& v) {
  v("stride", g.stride);
  v("padding", g.padding);
  v("dilation", g.dilation);
  v("groups", g.groups);
}
template <class V>
void visit(FusedTail& t, V& v) {
  v("acts", t.acts);
  visit(t.act, v);
  v("packed", t.packed);
  v("weight", t.weight);
}
template <class V>
void visit(UnaryOp& op, V& v) {
  visit(op.args, v);
}
template <class V>
void visit(BinaryOp& op, V& v) {
  v("f", op.f);
  v("a", op.shape_a);
  v("b", op.shape_b);
}
template <class V>
void visit(WhereOp&, V&) {}
template <class V>
void visit(ReshapeOp& op, V& v) {
  v("from", op.from);
  v("to", op.to);
}
template <class V>
void visit(PermuteOp& op, V& v) {
  v("dims", op.dims);
}
template <class V>
void visit(ExpandOp& op, V& v) {
  v("from", op.from);
  v("to", op.to);
}
template <class V>
void visit(SliceOp& op, V& v) {
  v("from", op.from);
  v("dim", op.dim);
  v("begin", op.begin);
  v("count", op.count);
  v("step", op.step);
}
template <class V>
void visit(ConcatOp& op, V& v) {
  v("dim", op.dim);
  v("extents", op.extents);
}
template <class V>
void visit(SplitOp& op, V& v) {
  v("from", op.from);
  v("dim", op.dim);
  v("extents", op.extents);
}
template <class V>
void visit(PadOp& op, V& v) {
  v("amounts", op.amounts);
  v("value", op.value);
}
template <class V>
void visit(GatherOp& op, V& v) {
  v("from", op.from);
  v("dim", op.dim);
  v("shared", op.shared);
}
template <class V>
void visit(ExtremeOp& op, V& v) {
  v("from", op.from);
  v("dim", op.dim);
  v("largest", op.largest);
}
template <class V>
void visit(TopKOp& op, V& v) {
  v("from", op.from);
  v("k", op.k);
}
template <class V>
void visit(SumOp& op, V& v) {
  v("from", op.from);
  v("first", op.first);
  v("last", op.last);
  v("factor", op.factor);
}
template <class V>
void visit(SoftmaxOp&, V&) {}
template <class V>
void visit(LogSoftmaxOp&, V&) {}
template <class V>
void visit(MatMulOp& op, V& v) {
  v("trans_a", op.trans_a);
  v("trans_b", op.trans_b);
}
template <class V>
void visit(AttentionOp& op, V& v) {
  v("scale", op.scale);
}
template <class V>
void visit(MultiScaleDeformAttnOp& op, V& v) {
  v("maps", op.maps);
}
template <class V>
void visit(DropoutOp&, V&) {
  fail("Dropout: a model in evaluation mode drops nothing; graphs do not hold it");
}
template <class V>
void visit(Conv2dOp& op, V& v) {
  visit(op.geometry, v);
}
template <class V>
void visit(ConvTranspose2dOp& op, V& v) {
  visit(op.geometry, v);
  v("output_padding", op.output_padding);
}
template <class V>
void visit(BatchNormOp& op, V& v) {
  v("training", op.training);
  v("momentum", op.momentum);
  v("eps", op.eps);
}
template <class V>
void visit(GroupNormOp& op, V& v) {
  v("groups", op.groups);
  v("eps", op.eps);
}
template <class V>
void visit(LayerNormOp& op, V& v) {
  v("eps", op.eps);
}
template <class V>
void visit(ScaleNormOp& op, V& v) {
  v("eps", op.eps);
}
template <class V>
void visit(MaxPool2dOp& op, V& v) {
  visit(op.rows, v);
  visit(op.columns, v);
}
template <class V>
void visit(AvgPool2dOp& op, V& v) {
  visit(op.rows, v);
  visit(op.columns, v);
}
template <class V>
void visit(ResizeOp& op, V& v) {
  auto& s = op.shape;
  v("N", s.N);
  v("H", s.H);
  v("W", s.W);
  v("C", s.C);
  v("h", s.h);
  v("w", s.w);
  v("filter", s.filter);
  v("align_corners", s.align_corners);
}
template <class V>
void visit(PReluOp&, V&) {}
template <class V>
void visit(LinearOp&, V&) {}
template <class V>
void visit(DeformConv2dOp& op, V& v) {
  visit(op.geometry, v);
  v("offset_groups", op.offset_groups);
}
template <class V>
void visit(ConvBiasActOp& op, V& v) {
  visit(op.geometry, v);
  visit(op.tail, v);
}
template <class V>
void visit(ConvTransposeBiasActOp& op, V& v) {
  visit(op.geometry, v);
  v("output_padding", op.output_padding);
  visit(op.tail, v);
}
template <class V>
void visit(LinearBiasActOp& op, V& v) {
  visit(op.tail, v);
}

// ---- one of each, for the reader to fill in

template <class O>
std::shared_ptr<O> blank() {
  if constexpr (std::is_same_v<O, UnaryOp>) {
    return std::make_shared<O>(kernels::UnaryArgs{kernels::Unary::relu});
  } else if constexpr (std::is_same_v<O, BinaryOp>) {
    return std::make_shared<O>(kernels::Binary::add, Shape{}, Shape{});
  } else if constexpr (std::is_same_v<O, ReshapeOp> || std::is_same_v<O, ExpandOp>) {
    return std::make_shared<O>(Shape{}, Shape{});
  } else if constexpr (std::is_same_v<O, PermuteOp>) {
    return std::make_shared<O>(std::span<const int>{});
  } else if constexpr (std::is_same_v<O, SliceOp>) {
    return std::make_shared<O>(Shape{}, 0, 0, 0, 1);
  } else if constexpr (std::is_same_v<O, ConcatOp>) {
    return std::make_shared<O>(0, std::vector<int64_t>{});
  } else if constexpr (std::is_same_v<O, SplitOp>) {
    return std::make_shared<O>(Shape{}, 0, std::span<const int64_t>{});
  } else if constexpr (std::is_same_v<O, PadOp>) {
    return std::make_shared<O>(std::span<const std::pair<int64_t, int64_t>>{}, 0.0);
  } else if constexpr (std::is_same_v<O, GatherOp> || std::is_same_v<O, ExtremeOp>) {
    return std::make_shared<O>(Shape{}, 0, false);
  } else if constexpr (std::is_same_v<O, TopKOp>) {
    return std::make_shared<O>(Shape{}, 1);
  } else if constexpr (std::is_same_v<O, SumOp>) {
    return std::make_shared<O>(Shape{}, 0, 0, 1.0);
  } else if constexpr (std::is_same_v<O, MatMulOp>) {
    return std::make_shared<O>(false, false);
  } else if constexpr (std::is_same_v<O, DropoutOp>) {
    return std::make_shared<O>(Tensor(), 1.0);
  } else if constexpr (std::is_same_v<O, ConvTranspose2dOp> ||
                       std::is_same_v<O, ConvTransposeBiasActOp>) {
    return std::make_shared<O>(ConvGeometry{}, std::array<int, 2>{});
  } else if constexpr (std::is_same_v<O, MultiScaleDeformAttnOp>) {
    return std::make_shared<O>(std::vector<std::pair<int64_t, int64_t>>{});
  } else if constexpr (std::is_same_v<O, DeformConv2dOp>) {
    return std::make_shared<O>(ConvGeometry{}, 1);
  } else if constexpr (std::is_same_v<O, Conv2dOp> || std::is_same_v<O, ConvBiasActOp>) {
    return std::make_shared<O>(ConvGeometry{});
  } else if constexpr (std::is_same_v<O, BatchNormOp>) {
    return std::make_shared<O>(false, 0.0, 0.0);
  } else if constexpr (std::is_same_v<O, GroupNormOp>) {
    return std::make_shared<O>(1, 0.0);
  } else if constexpr (std::is_same_v<O, LayerNormOp> || std::is_same_v<O, ScaleNormOp> ||
                       std::is_same_v<O, AttentionOp>) {
    return std::make_shared<O>(0.0);
  } else if constexpr (std::is_same_v<O, MaxPool2dOp> || std::is_same_v<O, AvgPool2dOp>) {
    return std::make_shared<O>(kernels::WindowAxis{}, kernels::WindowAxis{});
  } else if constexpr (std::is_same_v<O, ResizeOp>) {
    return std::make_shared<O>(kernels::ResizeShape{});
  } else {
    return std::make_shared<O>();
  }
}

// ---- the visitors

class Writer {
 public:
  std::vector<uint8_t> bytes;
  template <class T>
  void operator()(const char*, const T& field) {
    put(field);
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

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  template <class T>
  void operator()(const char* name, T& field) {
    name_ = name;
    get(field);
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

class Teller {
 public:
  std::string text;
  template <class T>
  void operator()(const char* name, const T& field) {
    text += str(text.empty() ? "" : ", ", name);
    put(field);
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
#define LIMBER_OP(name) \
  case OpKind::name:    \
    return visit(const_cast<name##Op&>(static_cast<const name##Op&>(op)), v);
#include "tensor/ops.def"
#undef LIMBER_OP
  }
}

template <class O>
std::shared_ptr<const Op> read_op(std::span<const uint8_t> bytes) {
  const std::shared_ptr<O> op = blank<O>();
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
#define LIMBER_OP(name) \
  case OpKind::name:    \
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
