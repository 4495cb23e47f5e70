#include <gtest/gtest.h>

#include "pose/config/config.h"
#include "tests/support/temp_folder.h"

namespace limber {
namespace {

// The tree of a config of this text, on one line.
std::string tree(const std::string& text) {
  TempFolder folder;
  return load_config(folder.write("c.py", text)).dump(-1);
}

// What is wrong with it, behind the file's name.
std::string error(const std::string& text) {
  TempFolder folder;
  const std::string file = folder.write("c.py", text);
  try {
    load_config(file);
  } catch (const InputError& e) {
    const std::string what = e.what();
    return what.starts_with(file + ": ") ? what.substr(file.size() + 2) : what;
  }
  return "(no error)";
}

TEST(PythonConfig, Literals) {
  EXPECT_EQ(tree("a = 1_000\nb = 0x1F\nc = -2.5e-3\nd = .5\ne = 1.\nf = None\ng = True\n"),
            R"({"a":1000,"b":31,"c":-0.0025,"d":0.5,"e":1.0,"f":null,"g":true})");
  EXPECT_EQ(tree("a = 'x' \"y\" r'\\d'\nb = '''two\nlines'''\nc = '\\x41\\n\\u00e9\\q'\nd = ''\n"),
            "{\"a\":\"xy\\\\d\",\"b\":\"two\\nlines\",\"c\":\"A\\n\xC3\xA9\\\\q\",\"d\":\"\"}");
  EXPECT_EQ(tree("a = [1, (2, 3), {'x': 4, 5: 6}, (), [],]\nb = 1, 2\nc = ('a'\n     'b')\n"),
            R"({"a":[1,[2,3],{"x":4,"5":6},[],[]],"b":[1,2],"c":"ab"})");
  EXPECT_EQ(tree("a = {'k': 1, 'j': 2, 'k': 3}\n"), R"({"a":{"k":3,"j":2}})");
}

TEST(PythonConfig, Arithmetic) {
  EXPECT_EQ(tree("a = 7 // 2\nb = -7 // 2\nc = -7 % 3\nd = 7 / 2\ne = 2 ** 10\nf = 2 ** -1\n"
                 "g = -2 ** 2\nh = 2 + 3 * 4 - 1\ni = 7.5 // 2\nj = -7.5 % 2\nk = (1 + 2) * 3\n"),
            R"({"a":3,"b":-4,"c":2,"d":3.5,"e":1024,"f":0.5,"g":-4,"h":13,"i":3.0,"j":0.5,"k":9})");
  EXPECT_EQ(tree("a = [1] + [2]\nb = (1,) * 2 + (3,)\nc = 'ab' * 2\nd = True + 1\n"),
            R"({"a":[1,2],"b":[1,1,3],"c":"abab","d":2})");
  EXPECT_EQ(tree("x = 3\na = x > 2 and x < 5\nb = 1 < x <= 3\nc = 'y' if x == 3 else 'n'\n"
                 "d = not x\ne = x in (1, 3)\nf = 0 or 'z'\ng = None is None\n"),
            R"({"x":3,"a":true,"b":true,"c":"y","d":false,"e":true,"f":"z","g":true})");
}

TEST(PythonConfig, FormatStrings) {
  EXPECT_EQ(tree("n = 7\nx = 0.00001\na = f'{n}/{n + 1:03d}-{x}'\nb = f\"{{{n!r}}}\" 'c'\n"
                 "c = f'{3.14159:.2f}|{n:>4}|{\"s\":<3}|{0.25:.1%}|{1234567:,}'\n"
                 "d = f'{[1, (2,)]} {None} {1e16} {1.0} {dict(k=\"v\")}'\ne = f'{n:{n}d}'\n"),
            R"({"n":7,"x":1e-05,"a":"7/008-1e-05","b":"{7}c","c":"3.14|   7|s  |25.0%|1,234,567",)"
            R"("d":"[1, (2,)] None 1e+16 1.0 {'k': 'v'}","e":"      7"})");
}

TEST(PythonConfig, ContainersAndComprehensions) {
  EXPECT_EQ(tree("a = [i * 2 for i in range(3)]\nb = {f'k{i}': j for i, j in enumerate('xy')}\n"
                 "c = [(i, j) for i in range(3) for j in range(i) if j != 1]\n"
                 "d = tuple(2 * v for v in (1, 2))\ne = [*a, *range(2)]\n"
                 "f = dict(x=1, **dict(y=2))\ng = {**f, 'z': 3}\nh = dict({'a': 1}, b=2)\n"),
            R"({"a":[0,2,4],"b":{"k0":"x","k1":"y"},"c":[[1,0],[2,0]],"d":[2,4],)"
            R"("e":[0,2,4,0,1],"f":{"x":1,"y":2},"g":{"x":1,"y":2,"z":3},"h":{"a":1,"b":2}})");
  EXPECT_EQ(tree("l = [0, 1, 2, 3, 4]\na = l[-1]\nb = l[1:3]\nc = l[::-2]\nd = 'h\xC3\xA9'[1]\n"
                 "e = dict(k=[5])['k'][0]\nf = l[-9:2]\ng = (1, 2, 3)[1:]\n"),
            "{\"l\":[0,1,2,3,4],\"a\":4,\"b\":[1,2],\"c\":[4,2,0],\"d\":\"\xC3\xA9\",\"e\":5,"
            "\"f\":[0,1],\"g\":[2,3]}");
  EXPECT_EQ(
      tree("a = max(1, 2.5)\nb = min([3, 1])\nc = round(2.5)\nd = round(2.675, 2)\n"
           "e = int('12') + int(3.9)\nf = float('1e3')\ng = sum([1, 2])\nh = len('h\xC3\xA9')\n"
           "i = sorted([3, 1, 2], reverse=True)\nj = list(zip([1, 2], 'ab'))\nk = abs(-3)\n"),
      R"({"a":2.5,"b":1,"c":2,"d":2.67,"e":15,"f":1000.0,"g":3,"h":2,"i":[3,2,1],)"
      R"("j":[[1,"a"],[2,"b"]],"k":3})");
}

TEST(PythonConfig, StatementsChangeValuesInPlace) {
  EXPECT_EQ(tree("scenes = ['a', 'b']\nsets = []\nfor s in scenes:\n    d = dict(name=s)\n"
                 "    d.update(n=len(sets))\n    sets.append(d)\nsets.extend([0])\nsets += [1]\n"),
            R"({"scenes":["a","b"],"sets":[{"name":"a","n":0},{"name":"b","n":1},0,1],)"
            R"("s":"b","d":{"name":"b","n":1}})");
  EXPECT_EQ(tree("a = [1]\nb = a\nb += [2]\nc = (1,)\nd = c\nd += (2,)\nn = 1\nn *= 3\n"),
            R"({"a":[1,2],"b":[1,2],"c":[1],"d":[1,2],"n":3})");
  EXPECT_EQ(tree("a = b = dict()\na['x'] = 1\nb.y = 2\nc, (d, e) = 1, (2, 3)\n"
                 "if c > 1:\n    f = 1\nelif c:\n    f = 2\nelse:\n    f = 3\n__x = 4\n"),
            R"({"a":{"x":1,"y":2},"b":{"x":1,"y":2},"c":1,"d":2,"e":3,"f":2})");
}

TEST(PythonConfig, LaterNamesSeeEarlierValuesAtThatTime) {
  EXPECT_EQ(tree("a = 1\nb = a\na = 2\n\"\"\"doc\"\"\"\n# comment\nc = a  # why\n"),
            R"({"a":2,"b":1,"c":2})");
}

TEST(PythonConfig, InheritsMergesAndDeletes) {
  TempFolder folder;
  folder.write("base/run.py", "cfg = dict(epochs=10, by_epoch=True)\nhooks = [1, 2]\nlr = 0.1\n");
  folder.write("base/data.json", R"({"data": {"root": "d", "ids": {"0": "x"}}})");
  folder.write(
      "a.py",
      "_base_ = ['base/run.py', 'base/data.json']\nmodel = dict(type='A', neck=dict(n=1))\n"
      "cfg = dict(epochs=20)\nhalf = _base_.lr / 2\nroot = {{_base_.data.root}}\n"
      "first = _base_.data['ids'][0]\nname = '{{fileBasenameNoExtension}}'\n");
  folder.write("b.py",
               "_base_ = './a.py'\nmodel = dict(neck=dict(_delete_=True, m=2))\nhooks = [3]\n");
  EXPECT_EQ(load_config(folder.path("b.py")).dump(-1),
            R"({"cfg":{"epochs":20,"by_epoch":true},"hooks":[3],"lr":0.1,)"
            R"("data":{"root":"d","ids":{"0":"x"}},"model":{"type":"A","neck":{"m":2}},)"
            R"("half":0.05,"root":"d","first":"x","name":"a"})");
}

TEST(PythonConfig, ChangingABaseThroughItsNameIsKept) {
  TempFolder folder;
  folder.write("a.py", "model = dict(neck=1, head=2)\n");
  folder.write("b.py", "_base_ = 'a.py'\nm = _base_.model\nm.pop('neck')\n");
  EXPECT_EQ(load_config(folder.path("b.py")).dump(-1), R"({"model":{"head":2},"m":{"head":2}})");
}

TEST(PythonConfig, PackageBasesAreMarkedWithTheirScope) {
  TempFolder folder;
  folder.write("configs/_base_/run.py", "hook = dict(type='H', sub=dict(type='S'))\nn = 1\n");
  folder.write("configs/x/y/c.py", "_base_ = ['mmpose::_base_/run.py']\n");
  EXPECT_EQ(load_config(folder.path("configs/x/y/c.py")).dump(-1),
            R"({"hook":{"type":"H","sub":{"type":"S"},"_scope_":"mmpose"},"n":1})");
}

TEST(PythonConfig, ReadBaseImportsModulesAndClassesAreNames) {
  TempFolder folder;
  folder.write("configs/_base_/run.py",
               "from mmengine.hooks import TimerHook\nhooks = dict(timer=dict(type=TimerHook))\n"
               "epochs = 10\n");
  folder.write("configs/x/c.py",
               "from mmengine.config import read_base\nimport torch\n"
               "with read_base():\n    from .._base_.run import *  # noqa\n"
               "from torch.optim import (AdamW,\n    SGD as Plain)\n"
               "hooks.update(ema=dict(type=Plain))\nopt = dict(type=AdamW, act=torch.nn.SiLU)\n"
               "hooks.merge(dict(timer=dict(every=epochs)))\n");
  EXPECT_EQ(load_config(folder.path("configs/x/c.py")).dump(-1),
            R"({"hooks":{"timer":{"type":"TimerHook","every":10},"ema":{"type":"SGD"}},)"
            R"("epochs":10,"opt":{"type":"AdamW","act":"SiLU"}})");
  folder.write("configs/x/d.py",
               "with read_base():\n    from mmpose.configs._base_.run import epochs as e\nn = e\n");
  EXPECT_EQ(load_config(folder.path("configs/x/d.py")).dump(-1), R"({"e":10,"n":10})");
}

TEST(PythonConfig, WhatIsOutsideIsAnErrorWithItsPlace) {
  const std::string outside = " is outside of the Python subset that configs may use";
  EXPECT_EQ(error("a = 1\nb = [lambda x: x]\n"), "line 2, column 6: lambda" + outside);
  EXPECT_EQ(error("def f():\n    pass\n"), "line 1, column 1: statement \"def\"" + outside);
  EXPECT_EQ(error("a = {1, 2}\n"), "line 1, column 5: a set display" + outside);
  EXPECT_EQ(error("a = 1 | 2\n"), "line 1, column 7: operator |" + outside);
  EXPECT_EQ(error("a: int = 1\n"), "line 1, column 2: an annotation" + outside);
  EXPECT_EQ(error("with open('x') as f:\n    pass\n"),
            "line 1, column 1: \"with\" for anything but read_base()" + outside);
  EXPECT_EQ(error("a = [1].sort()\n"), "line 1, column 8: method sort() of a list" + outside);
  const std::string nothing = "(): nothing is imported or executed in a config";
  EXPECT_EQ(error("import os\nos.system('x')\n"), "line 2, column 3: call of os.system" + nothing);
  EXPECT_EQ(error("a = dict(b=open('/etc/passwd'))\n"),
            "line 1, column 12: call of open" + nothing);
  EXPECT_EQ(error("a = __import__('os')\n"), "line 1, column 5: call of __import__" + nothing);
  EXPECT_EQ(error("a = ().__class__\n"), "line 1, column 7: attribute \"__class__\" of a tuple");
  EXPECT_EQ(error("from x import *\n"),
            "line 1, column 1: \"from x import *\" outside of read_base()");
}

TEST(PythonConfig, WrongValuesAreErrorsWithTheirPlace) {
  EXPECT_EQ(error("size = 1\na = sise\n"),
            "line 2, column 5: no name \"sise\", did you mean \"size\"?");
  EXPECT_EQ(error("a = [1] + (2,)\n"), "line 1, column 9: operator + between list and tuple");
  EXPECT_EQ(error("a = 1 + 'x'\n"), "line 1, column 7: operator + between int and str");
  EXPECT_EQ(error("a = 1 // 0\n"), "line 1, column 7: division by zero");
  EXPECT_EQ(error("a = 2 ** 64\n"), "line 1, column 7: the result of ** does not fit 64 bits");
  EXPECT_EQ(error("a = [1, 2][5]\n"), "line 1, column 11: index 5 of 2 elements");
  EXPECT_EQ(error("a = dict(depth=1)['dept']\n"),
            "line 1, column 18: no key \"dept\", did you mean \"depth\"?");
  EXPECT_EQ(error("a, b = 1, 2, 3\n"), "line 1, column 1: 3 values for 2 names");
  EXPECT_EQ(error("a = dict(x=1, x=2)\n"), "line 1, column 5: argument \"x\" is given twice");
  EXPECT_EQ(error("a = f'{b}'\n"), "line 1, column 5: no name \"b\"");
  EXPECT_EQ(error("_base_ = 'a.py'\n").substr(0, 1), "/");
}

TEST(PythonConfig, BrokenTextIsAnErrorWithItsPlace) {
  EXPECT_EQ(error("a = (1,\nb = 2)\n"), "line 2, column 3: expected \")\", got \"=\"");
  EXPECT_EQ(error("a = [1, 2\n"), "line 1, column 5: \"[\" is not closed");
  EXPECT_EQ(error("a = 'x\n"), "line 1, column 5: string is not closed");
  EXPECT_EQ(error("for i in [1]:\nx = 1\n"),
            "line 2, column 1: expected an indented block, got \"x\"");
  EXPECT_EQ(error("if 1:\n    a = 1\n  b = 2\n"),
            "line 3, column 3: this indentation fits no block that is open");
  EXPECT_EQ(error("  a = 1\n"), "line 1, column 3: unexpected indentation");
  EXPECT_EQ(error("a = 012\n"), "line 1, column 5: \"012\" is no number that configs use");
  EXPECT_EQ(error("a = 1 2\n"), "line 1, column 7: expected the end of the statement, got \"2\"");
  EXPECT_EQ(error("a = $\n"), "line 1, column 5: character \"$\" means nothing here");
  EXPECT_EQ(error("1 = a\n"), "line 1, column 1: this cannot be assigned to");
}

TEST(PythonConfig, WorkAndNestingAreBounded) {
  EXPECT_NE(error("a = 'x' * 10 ** 9\n").find("repeating"), std::string::npos);
  EXPECT_NE(error("a = range(10 ** 12)\n").find("range()"), std::string::npos);
  EXPECT_NE(error("a = [i for i in range(10000) for j in range(10000)]\n").find("steps of work"),
            std::string::npos);
  EXPECT_NE(error("a = " + std::string(1000, '(')).find("nested deeper"), std::string::npos);
  EXPECT_NE(error("a = 1" + std::string(5000, '+') + "1\n").find("nested deeper"),
            std::string::npos);
  std::string sum = "a = 1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_NE(error(sum + "\n").find("nested deeper"), std::string::npos);
  EXPECT_NE(error("a = []\nfor i in range(100000):\n    a = [a]\n").find("nested deeper"),
            std::string::npos);
  for (const char* circle :
       {"a = [1]\na.append(a)\n", "a = [1]\na.append((2, a))\n", "a = dict()\na['x'] = [a]\n",
        "a = dict()\na.update(b=a)\n", "a = []\nb = [a]\na += [b]\n", "a = [0]\na[0] = a\n"})
    EXPECT_NE(error(circle).find("would hold itself"), std::string::npos) << circle;
  EXPECT_EQ(tree("a = [1]\na.extend(a)\n"), R"({"a":[1,1]})");
}

}  // namespace
}  // namespace limber
