using System.Xml;
using System.Xml.Linq;
using CsCheck;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Xml;

namespace ZeroStor.Tests.S3.Xml;

public sealed class XmlAnswerTests
{
    [Fact]
    public void Any_key_is_read_back_by_a_parser_that_bears_what_XML_cannot_hold() =>
        Gen.String[0, 50].Sample(text =>
        {
            string key = string.Concat(text.EnumerateRunes());
            string document = Wire.Written(b => new XmlAnswer(b, "R").Element("Key", key).End("R"));
            using XmlReader xml = XmlReader.Create(
                new StringReader(document), new XmlReaderSettings { CheckCharacters = false });
            XElement read = XElement.Load(xml, LoadOptions.PreserveWhitespace);
            Assert.Equal(key, read.Elements().Single().Value);
        });

    [Fact]
    public void What_stands_for_something_else_is_written_as_a_reference()
    {
        string document = Wire.Written(
            b => new XmlAnswer(b, "R").Element("Key", "<&>\"\r\n\u0001\uFFFE").End("R"));
        Assert.Contains(
            "<Key>&lt;&amp;&gt;&quot;&#xD;&#xA;&#x1;&#xFFFE;</Key>", document, StringComparison.Ordinal);
        Assert.StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"", document);
    }

    [Fact]
    public void Values_are_written_as_S3_writes_them()
    {
        var time = new DateTimeOffset(2026, 11, 30, 13, 4, 5, 6, TimeSpan.FromHours(1));
        string document = Wire.Written(b => new XmlAnswer(b, "R")
            .Element("N", -5)
            .Element("B", true)
            .Element("T", time)
            .Optional("O", null)
            .Optional("P", "")
            .End("R"));
        Assert.EndsWith("<N>-5</N><B>true</B><T>2026-11-30T12:04:05.006Z</T><P></P></R>", document);
    }

    [Fact]
    public void An_error_is_told_with_its_details()
    {
        S3Exception failure = new S3Exception(S3Error.NoSuchKey).With("Key", "a<b");
        Assert.Equal(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
            + "<Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
            + "<Resource>/photos/a%3Cb</Resource><RequestId>ID</RequestId></Error>",
            Wire.Written(b => ErrorAnswer.Write(b, failure, "/photos/a%3Cb", "ID")));
    }
}
