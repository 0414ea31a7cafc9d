// MIME: as cloud-init's make-mime, EKS and Terraform write it, nested, encoded, and broken.
#include "base/text.h"
#include "parse/envelope.h"
#include "texts.h"

using namespace kubejoin;
using namespace kubejoin::parse;

namespace {

const std::string kFirstBoot = "apiVersion: kubejoin/v1alpha1\nkind: FirstBoot\n";
const std::string kBroken = "apiVersion: kubejoin/v1alpha1\nkind: FirstBoot\nkind: twice\n";

std::string opened(std::string_view text) {
  const Unwrapped unwrapped = unwrap(text, "user-data", nullptr);
  std::string all = told(unwrapped.errors);
  for (const Document& document : unwrapped.documents) {
    const Place place = document.place(document.root.mark);
    all += (all.empty() ? "" : "\n") + document.kind() + " " + std::to_string(place.line) + " " + place.part;
  }
  return all;
}

std::string warned(std::string_view text) { return told(unwrap(text, "user-data", nullptr).warnings); }

// As EKS documents it.
std::string eks(const std::string& parts) {
  return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"==MYBOUNDARY==\"\n\n" + parts +
         "--==MYBOUNDARY==--\n";
}
std::string part(const std::string& headers, const std::string& body) {
  return "--==MYBOUNDARY==\n" + headers + "\n" + body + "\n";
}

const std::string kScript =
    part("Content-Type: text/x-shellscript; charset=\"us-ascii\"\n", "#!/bin/bash\necho 'kind: FirstBoot'\n");
const std::string kOurs = "Content-Type: application/vnd.kubejoin+yaml\n";

}  // namespace

TEST_CASE("parse::unwrap reads MIME") {
  // cloud-init's make-mime and Terraform's cloudinit_config: base64 parts, Content-Type first.
  const std::string terraform =
      "Content-Type: multipart/mixed; boundary=\"MIMEBOUNDARY\"\nMIME-Version: "
      "1.0\r\n\r\n--MIMEBOUNDARY\r\nContent-Disposition: attachment; filename=\"a.yaml\"\r\n"
      "Content-Transfer-Encoding: base64\r\nContent-Type: text/cloud-config\r\nMime-Version: 1.0\r\n\r\n" +
      base64("#cloud-config\nkubejoin:\n  kind: FirstBoot\n") + "\r\n--MIMEBOUNDARY--\r\n";
  struct Row {
    std::string name;
    std::string text;
    std::string opened;
  };
  const Row kRows[] = {
      {"EKS", eks(kScript + part(kOurs, kFirstBoot)), "FirstBoot 13 part 2"},
      {"EKS, CRLF", replace_all(eks(kScript + part(kOurs, kFirstBoot)), "\n", "\r\n"), "FirstBoot 13 part 2"},
      {"Terraform", terraform, "FirstBoot 3 part 1, decoded"},
      {"Terraform, gzip and base64", base64(gzip(terraform)), "FirstBoot 3 part 1, decoded"},
      {"blank lines and an mbox line first", "\n\nFrom nobody\n" + eks(part(kOurs, kFirstBoot)), "FirstBoot 10 part 1"},
      {"folded header", "Content-Type: multipart/mixed;\n boundary=b\n\n--b\n" + kOurs + "\n" + kFirstBoot + "--b--\n",
       "FirstBoot 7 part 1"},
      {"preamble and epilogue",
       replace_all(eks("ignored: [\n" + part(kOurs, kFirstBoot)), "==--\n", "==--\nignored: [\n"),
       "FirstBoot 8 part 1"},
      {"no multipart", "MIME-Version: 1.0\n" + kOurs + "\n" + kFirstBoot, "FirstBoot 4 part 1"},
      {"cloud-config without its first line",
       eks(part("Content-Type: text/cloud-config\n", "kubejoin:\n  kind: FirstBoot\n")), "FirstBoot 8 part 1"},
      {"template",
       eks(part("Content-Type: text/jinja2\n", "## template: jinja\n#cloud-config\nkubejoin:\n  kind: FirstBoot\n")),
       "FirstBoot 10 part 1"},
      {"plain text",
       eks(part("Content-Type: text/plain\n", kFirstBoot) +
           part("", "#cloud-config\nkubejoin: {kind: JoinConfiguration}\n")),
       "FirstBoot 7 part 1\nJoinConfiguration 13 part 2"},
      {"gzip part",
       eks(part("Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n", base64(gzip(kFirstBoot)))),
       "FirstBoot 1 part 1, decoded"},
      {"gzip part, binary",
       eks(part("Content-Type: application/gzip\nContent-Transfer-Encoding: binary\n", gzip(kFirstBoot))),
       "FirstBoot 1 part 1, decoded"},
      {"quoted-printable",
       eks(part(kOurs + "Content-Transfer-Encoding: quoted-printable\n",
                "apiVersion: kubejoin=2Fv1alpha1  \nkind: First=\nBoot\n")),
       "FirstBoot 1 part 1, decoded"},
      {"write_files in a part",
       eks(kScript +
           part("Content-Type: text/cloud-config\n", "#cloud-config\nwrite_files:\n- path: /a\n  content: |\n    " +
                                                         replace_all(kFirstBoot, "\n", "\n    ") + "\n")),
       "FirstBoot 17 part 2, write_files[0]"},
      {"nested",
       eks(kScript +
           part("Content-Type: multipart/mixed; boundary=in\n", "--in\n" + kOurs + "\n" + kFirstBoot + "--in--\n")),
       "FirstBoot 16 part 2, part 1"},
      {"for other agents",
       eks(part("Content-Type: application/node.eks.aws\n", "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n") +
           part("Content-Type: text/cloud-boothook\n", "kind: [\n")),
       ""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(opened(row.text) == row.opened);
    CHECK(warned(row.text) == "");
  }
}

TEST_CASE("parse::unwrap says what is wrong with MIME") {
  struct Row {
    std::string name;
    std::string text;
    std::string opened;
  };
  const Row kRows[] = {
      {"no boundary", "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--x\n" + kOurs + "\n" + kFirstBoot,
       "2:1 mime.boundary a multipart without a boundary"},
      {"boundary nowhere", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--y\n" + kOurs + "\n" + kFirstBoot,
       "2:1 mime.boundary the boundary \"x\" appears nowhere in the body"},
      {"a type that nobody knows", eks(part("Content-Type: text/cloud-confg\n", kFirstBoot)),
       "7:1 (part 1) mime.type part 1 holds a document of ours, but has the type \"text/cloud-confg\""},
      {"a mistake in a part", eks(kScript + part(kOurs, kBroken)),
       "15:1 (part 2) yaml.duplicate-key duplicate key \"kind\" (first on line 14)"},
      {"a part for us that is none", eks(part(kOurs, "words\n")),
       "7:1 (part 1) envelope.document a document must be a map"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(opened(row.text) == row.opened);
  }
  const std::string cut = eks(part(kOurs, kFirstBoot));
  CHECK(opened(cut.substr(0, cut.size() - 21)) == "FirstBoot 7 part 1");
  CHECK(warned(cut.substr(0, cut.size() - 21)) ==
        "2:1 mime.truncated the line \"--==MYBOUNDARY==--\" that ends the multipart is missing");

  std::string deep = kFirstBoot;
  for (int i = 0; i < 12; ++i) {
    const std::string b = "b" + std::to_string(i);
    deep = "Content-Type: multipart/mixed; boundary=" + b + "\n\n--" + b + "\n" + (i == 0 ? kOurs + "\n" : "") + deep +
           "\n--" + b + "--\n";
  }
  CHECK(opened(deep).find("mime.too-deep") != std::string::npos);
  std::string many;
  for (int i = 0; i < 300; ++i) many += kScript;
  CHECK(told(unwrap(eks(many), "user-data", nullptr).unread).find("mime.too-many-parts") != std::string::npos);
}

TEST_CASE("parse::unwrap reads damaged MIME as Python does") {
  struct Row {
    std::string name;
    std::string text;
    std::string opened;
    std::string warned;
  };
  const Row kRows[] = {
      {"a part without a blank line", eks("--==MYBOUNDARY==\nContent-Type: text/cloud-config\n#cloud-config\nkubejoin: {kind: FirstBoot}\n"),
       "FirstBoot 7 part 1", "6:1 (part 1) mime.header this line is no header: the body begins here, without an empty line before it"},
      {"a blank in the line is none", eks("--==MYBOUNDARY==\nContent-Type: text/cloud-config\n \n#cloud-config\nkubejoin: {kind: FirstBoot}\n"),
       "FirstBoot 8 part 1", "7:1 (part 1) mime.header this line is no header: the body begins here, without an empty line before it"},
      {"an encoding that nobody knows", eks(part(kOurs + "Content-Transfer-Encoding: bas64\n", kFirstBoot)),
       "FirstBoot 8 part 1", "6:1 (part 1) mime.encoding unknown Content-Transfer-Encoding \"bas64\": the part is taken as it is"},
      {"base64 with another character", eks(part(kOurs + "Content-Transfer-Encoding: base64\n", "*" + base64(kFirstBoot))),
       "FirstBoot 1 part 1, decoded", "8:1 (part 1) mime.encoding \"*\" in part 1 is no part of base64, and is passed over"},
      {"uuencode", eks(part(kOurs + "Content-Transfer-Encoding: x-uuencode\n",
                            "begin 644 a\nM87!I5F5R<VEO;CH@:W5B96IO:6XO=C%A;'!H83$*:VEN9#H@1FER<W1\";V]T\n!\"@``\n`\nend")),
       "FirstBoot 1 part 1, decoded", ""},
      {"uuencode cut off", eks(kScript + part("Content-Type: text/plain\nContent-Transfer-Encoding: uuencode\n", "no begin") + part(kOurs, kFirstBoot)),
       "FirstBoot 18 part 3", "14:1 (part 2) mime.encoding unable to decode part 2: it is no uuencode"},
      {"quoted-printable with a lone =", eks(part(kOurs + "Content-Transfer-Encoding: quoted-printable\n", kFirstBoot + "x: a=zz\n")),
       "FirstBoot 1 part 1, decoded", ""},
      {"two delimiters are one", eks("--==MYBOUNDARY==\n" + part(kOurs, kFirstBoot)), "FirstBoot 8 part 1", ""},
      {"a message in a message", eks(part("Content-Type: message/rfc822\n", kOurs + "\n" + kFirstBoot)), "FirstBoot 9 part 1", ""},
      {"a cloud-config that says it is a script", eks(part("Content-Type: text/x-shellscript\n", "#cloud-config\nkubejoin: {kind: FirstBoot}\n")), "FirstBoot 8 part 1", ""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(opened(row.text) == row.opened);
    CHECK(warned(row.text) == row.warned);
  }
}
