#include "nn/pickle_globals.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace limber {
namespace {

using Kind = PickleValue::Kind;

constexpr const char* kHistory = "mmengine.logging.history_buffer.HistoryBuffer";
constexpr const char* kNumpyType = "numpy.dtype";

const PickleValue& argument(const PickleValue& arguments, size_t i, const char* name) {
  check_input(i < arguments.size(), name, " with ", arguments.size(), " arguments");
  return arguments.at(i);
}

std::vector<int64_t> extents(const PickleValue& v, const char* name) {
  check_input(v.is(Kind::tuple) || v.is(Kind::list), name, ": extents given as ",
              name_of(v.kind()));
  check_input(v.size() <= 64, name, ": ", v.size(), " dimensions");
  std::vector<int64_t> out;
  for (size_t i = 0; i < v.size(); ++i) out.push_back(v.at(i).integer());
  return out;
}

// (storage, offset, extents, strides, ...)
PickleValue rebuild_tensor(const PickleValue& a) {
  constexpr const char* name = "_rebuild_tensor";
  const PickleValue& storage = argument(a, 0, name);
  check_input(storage.stored() != nullptr, name, " of a ", name_of(storage.kind()));
  auto tensor = std::make_shared<StoredTensor>();
  tensor->storage = storage.stored()->storage;
  tensor->offset = argument(a, 1, name).integer();
  tensor->shape = extents(argument(a, 2, name), name);
  tensor->strides = extents(argument(a, 3, name), name);
  tensor->validate("");
  return PickleValue(std::move(tensor));
}

PickleValue rebuild_parameter(const PickleValue& a) {
  const PickleValue& tensor = argument(a, 0, "_rebuild_parameter");
  check_input(tensor.stored() != nullptr, "_rebuild_parameter of a ", name_of(tensor.kind()));
  auto parameter = std::make_shared<StoredTensor>(*tensor.stored());
  parameter->is_parameter = true;
  return PickleValue(std::move(parameter));
}

// (function, class, arguments, state): a tensor with attributes, which are dropped.
PickleValue rebuild_from_type(const PickleValue& a) {
  const PickleValue& function = argument(a, 0, "_rebuild_from_type_v2");
  check_input(function.is(Kind::name) && function.text() == "torch._utils._rebuild_tensor_v2",
              "_rebuild_from_type_v2 with another function than _rebuild_tensor_v2");
  const PickleValue& arguments = argument(a, 2, "_rebuild_from_type_v2");
  check_input(arguments.is(Kind::tuple), "_rebuild_from_type_v2 without arguments");
  return rebuild_tensor(arguments);
}

// dict(), dict(pairs) or dict(dict).
PickleValue make_dict(const PickleValue& a) {
  PickleValue dict = PickleValue::dict();
  if (a.size() == 0 || a.at(size_t(0)).is(Kind::name)) return dict;  // a default's factory
  const PickleValue& source = a.at(size_t(0));
  if (source.is(Kind::dict)) {
    for (const auto& [key, value] : source.items()) dict.set(key, value);
    return dict;
  }
  for (size_t i = 0; i < source.size(); ++i) {
    const PickleValue& pair = source.at(i);
    check_input(pair.container() && pair.size() == 2, "a dict of something else than pairs");
    dict.set(pair.at(size_t(0)), pair.at(size_t(1)));
  }
  return dict;
}

PickleValue make_set(const PickleValue& a) {
  PickleValue set = PickleValue::set();
  if (a.size() == 0) return set;
  const PickleValue& source = a.at(size_t(0));
  for (size_t i = 0; i < source.size(); ++i) set.push_back(source.at(i));
  return set;
}

PickleValue make_size(const PickleValue& a) {
  const std::vector<int64_t> dims = extents(argument(a, 0, "torch.Size"), "torch.Size");
  return PickleValue::tuple({dims.begin(), dims.end()});
}

PickleValue make_device(const PickleValue& a) {
  return PickleValue(argument(a, 0, "torch.device").text());
}

// Bytes in the older protocols: text whose characters are the bytes.
PickleValue encode_latin1(const PickleValue& a) {
  const std::string& text = argument(a, 0, "_codecs.encode").text();
  const std::string& codec = argument(a, 1, "_codecs.encode").text();
  check_input(codec == "latin1" || codec == "latin-1", "_codecs.encode to ", codec);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out += char(c);
      continue;
    }
    check_input((c == 0xC2 || c == 0xC3) && i + 1 < text.size(), "_codecs.encode of a character ",
                "outside of latin1");
    out += char((c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
  }
  return PickleValue(Kind::bytes, out);
}

PickleValue make_bytes(const PickleValue& a) {
  check_input(a.size() == 0, "bytes() with arguments");
  return PickleValue(Kind::bytes, "");
}

PickleValue history_buffer(const PickleValue&) {
  return PickleValue::object(kHistory, PickleValue());
}

// A history buffer names its own methods by getattr; the name is all that is kept.
PickleValue named_method(const PickleValue& a) {
  const PickleValue& owner = argument(a, 0, "getattr");
  const PickleValue& method = argument(a, 1, "getattr");
  check_input(owner.is(Kind::name) && owner.text() == kHistory && method.is(Kind::string),
              "global builtins.getattr is not allowed in a checkpoint");
  return PickleValue(Kind::name, owner.text() + "." + method.text());
}

// NumPy. A dtype is kept as the object "numpy.dtype" whose state is its code, "f8".
PickleValue numpy_type(const PickleValue& a) {
  return PickleValue::object(kNumpyType, PickleValue(argument(a, 0, kNumpyType).text()));
}

std::string numpy_code(const PickleValue& type) {
  check_input(type.is(Kind::object) && type.text() == kNumpyType, "numpy: a dtype given as ",
              name_of(type.kind()));
  return type.state().text();
}

template <class T>
T read_as(const std::string& bytes, const std::string& code) {
  check_input(bytes.size() == sizeof(T), "numpy: scalar of type ", code, " in ", bytes.size(),
              " bytes");
  T v;
  std::memcpy(&v, bytes.data(), sizeof v);
  return v;
}

PickleValue numpy_scalar(const PickleValue& a) {
  const std::string code = numpy_code(argument(a, 0, "numpy scalar"));
  const std::string& bytes = argument(a, 1, "numpy scalar").text();
  if (code == "f8") return read_as<double>(bytes, code);
  if (code == "f4") return double(read_as<float>(bytes, code));
  if (code == "f2") return double(half_to_float(read_as<uint16_t>(bytes, code)));
  if (code == "i8") return read_as<int64_t>(bytes, code);
  if (code == "i4") return int64_t(read_as<int32_t>(bytes, code));
  if (code == "i2") return int64_t(read_as<int16_t>(bytes, code));
  if (code == "i1") return int64_t(read_as<int8_t>(bytes, code));
  if (code == "u1") return int64_t(read_as<uint8_t>(bytes, code));
  if (code == "u2") return int64_t(read_as<uint16_t>(bytes, code));
  if (code == "u4") return int64_t(read_as<uint32_t>(bytes, code));
  if (code == "b1") return read_as<uint8_t>(bytes, code) != 0;
  fail_input("numpy: scalar of type ", code);
}

// The array is empty until BUILD fills it.
PickleValue numpy_array(const PickleValue&) {
  return PickleValue(std::make_shared<StoredTensor>());
}

StoredType stored_type_of(const std::string& code) {
  constexpr std::pair<const char*, StoredType> codes[] = {
      {"f8", StoredType::f64}, {"f4", StoredType::f32}, {"f2", StoredType::f16},
      {"i8", StoredType::i64}, {"i4", StoredType::i32}, {"i2", StoredType::i16},
      {"i1", StoredType::i8},  {"u1", StoredType::u8},  {"b1", StoredType::boolean}};
  for (const auto& [known, type] : codes)
    if (code == known) return type;
  fail_input("numpy: array of type ", code);
}

// State: (version, extents, dtype, column-major, bytes).
void fill_array(StoredTensor& array, const PickleValue& state) {
  check_input(state.is(Kind::tuple) && state.size() == 5, "numpy: array without a known state");
  array.shape = extents(state.at(size_t(1)), "numpy");
  const StoredType type = stored_type_of(numpy_code(state.at(size_t(2))));
  const bool column_major = state.at(size_t(3)).boolean();
  check_input(state.at(size_t(4)).is(Kind::bytes), "numpy: array data as ",
              name_of(state.at(size_t(4)).kind()));
  const auto bytes = std::make_shared<const std::string>(state.at(size_t(4)).text());
  auto storage = std::make_shared<StoredStorage>();
  storage->type = type;
  storage->numel = bytes->size() / size_of(type);
  storage->data = reinterpret_cast<const std::byte*>(bytes->data());
  storage->owner = bytes;
  array.strides.resize(array.shape.size());
  int64_t stride = 1;
  for (size_t n = 0; n < array.shape.size(); ++n) {
    const size_t d = column_major ? n : array.shape.size() - 1 - n;
    array.strides[d] = stride;
    check_input(!__builtin_mul_overflow(stride, std::max<int64_t>(array.shape[d], 1), &stride),
                "numpy: array too large");
  }
  array.storage = std::move(storage);
  array.validate("numpy: ");
}

// The state of an array of Python objects has them as a list, in row-major order.
const PickleValue* objects_of(const PickleValue& state) {
  const bool known = state.is(Kind::tuple) && state.size() == 5;
  if (!known || !state.at(size_t(4)).is(Kind::list)) return nullptr;
  const std::string code = numpy_code(state.at(size_t(2)));
  check_input(code == "O8" || code == "O", "numpy: objects in an array of type ", code);
  return &state.at(size_t(4));
}

struct Global {
  const char* name;
  PickleValue (*call)(const PickleValue& arguments);  // null: only named, never called
};

const Global kGlobals[] = {
    {"collections.OrderedDict", make_dict},
    {"collections.defaultdict", make_dict},
    {"collections.Counter", make_dict},
    {"torch._utils._rebuild_tensor", rebuild_tensor},
    {"torch._utils._rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils._rebuild_parameter", rebuild_parameter},
    {"torch._utils._rebuild_parameter_with_state", rebuild_parameter},
    {"torch._tensor._rebuild_from_type_v2", rebuild_from_type},
    {"torch.Size", make_size},
    {"torch.device", make_device},
    {"torch.Tensor", nullptr},
    {"torch.nn.parameter.Parameter", nullptr},
    {"_codecs.encode", encode_latin1},
    {"numpy.dtype", numpy_type},
    {"numpy.ndarray", nullptr},
    {"numpy.core.multiarray.scalar", numpy_scalar},
    {"numpy._core.multiarray.scalar", numpy_scalar},
    {"numpy.core.multiarray._reconstruct", numpy_array},
    {"numpy._core.multiarray._reconstruct", numpy_array},
    {kHistory, history_buffer},
};

struct Builtin {
  const char* name;
  PickleValue (*call)(const PickleValue& arguments);
};

const Builtin kBuiltins[] = {
    {"set", make_set}, {"frozenset", make_set}, {"bytes", make_bytes}, {"getattr", named_method},
    {"list", nullptr}, {"dict", nullptr},       {"int", nullptr},      {"float", nullptr},
    {"str", nullptr},  {"bool", nullptr},       {"tuple", nullptr}};

constexpr const char* kDtypes[] = {"float32", "float64", "float16", "bfloat16", "int64", "int32",
                                   "int16",   "int8",    "uint8",   "bool",     "float", "double",
                                   "half",    "long",    "int",     "short"};

constexpr std::pair<const char*, StoredType> kStorages[] = {
    {"Float", StoredType::f32},     {"Double", StoredType::f64}, {"Half", StoredType::f16},
    {"BFloat16", StoredType::bf16}, {"Long", StoredType::i64},   {"Int", StoredType::i32},
    {"Short", StoredType::i16},     {"Char", StoredType::i8},    {"Byte", StoredType::u8},
    {"Bool", StoredType::boolean}};

const StoredType* find_storage_type(const std::string& name) {
  for (const auto& [word, type] : kStorages)
    if (name == std::string("torch.") + word + "Storage" ||
        name == std::string("torch.cuda.") + word + "Storage")
      return &type;
  return nullptr;
}

// "builtins.x", or "__builtin__.x" of the older protocols.
const Builtin* find_builtin(const std::string& name) {
  for (const Builtin& row : kBuiltins)
    if (name == std::string("builtins.") + row.name ||
        name == std::string("__builtin__.") + row.name)
      return &row;
  return nullptr;
}

}  // namespace

StoredType storage_type(const std::string& name) {
  const StoredType* type = find_storage_type(name);
  check_input(type != nullptr, "storage of type ", name);
  return *type;
}

bool is_known_global(const std::string& name) {
  for (const Global& row : kGlobals)
    if (name == row.name) return true;
  for (const char* dtype : kDtypes)
    if (name == std::string("torch.") + dtype) return true;
  return find_builtin(name) || find_storage_type(name);
}

PickleValue reduce_global(const std::string& name, const PickleValue& arguments) {
  for (const Global& row : kGlobals)
    if (name == row.name && row.call) return row.call(arguments);
  const Builtin* builtin = find_builtin(name);
  check_input(builtin && builtin->call, "a call of ", name, " is not allowed in a checkpoint");
  return builtin->call(arguments);
}

PickleValue build_object(const PickleValue& object, const PickleValue& state) {
  if (object.is(Kind::dict))
    return object;  // attributes beside the entries: a state dict's
                    // _metadata
  if (object.is(Kind::tensor) && object.stored() && !object.stored()->storage) {
    if (const PickleValue* objects = objects_of(state)) return *objects;
    auto& array = const_cast<StoredTensor&>(*object.stored());
    fill_array(array, state);
    return object;
  }
  check_input(object.is(Kind::object), "a state for a ", name_of(object.kind()));
  if (object.text() == kNumpyType) {
    check_input(state.is(Kind::tuple) && state.size() > 1, "numpy: dtype without a known state");
    const std::string& order = state.at(size_t(1)).text();
    check_input(order == "<" || order == "|" || order == "=", "numpy: byte order ", order);
    return object;
  }
  object.container()->items[0] = state;
  return object;
}

}  // namespace limber
