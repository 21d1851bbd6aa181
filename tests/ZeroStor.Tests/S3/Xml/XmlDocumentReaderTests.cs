using System.Text;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Xml;

namespace ZeroStor.Tests.S3.Xml;

public sealed class XmlDocumentReaderTests
{
    [Theory]
    [InlineData("<a><b>x</b></a>", "b=x;")]
    [InlineData(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"urn:x\">\n <b> x </b>\n</a>\n", "b= x ;")]
    [InlineData("\uFEFF<a><b/><b></b><c/></a>", "b=;b=;")]
    [InlineData("<a/>", "")]
    [InlineData("<n:a xmlns:n=\"u\"><n:b><![CDATA[<x>]]>&amp;&#65;</n:b></n:a>", "b=<x>&A;")]
    [InlineData(
        "<a><!-- c --><?p i?><unknown><deep><er/>text</deep></unknown><b>1<!-- c -->2</b></a>", "b=12;")]
    [InlineData("<a><b>&#x1;&#xFFFE;</b></a>", "b=\u0001\uFFFE;")]
    public void Elements_are_read_and_unknown_ones_passed_over(string document, string read) =>
        Assert.Equal(read, Read(document));

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("<a>")]
    [InlineData("<a><b></a>")]
    [InlineData("<a></a><a></a>")]
    [InlineData("<a></a>text")]
    [InlineData("<x></x>")]
    [InlineData("<a>text</a>")]
    [InlineData("<a><b><c/></b></a>")]
    [InlineData("<a><b>&undefined;</b></a>")]
    [InlineData("<!DOCTYPE a><a/>")]
    [InlineData("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a><b>&e;</b></a>")]
    [InlineData("<!DOCTYPE a [<!ENTITY e \"eeeeeeeeee\">]><a><b>&e;&e;</b></a>")]
    public void What_is_malformed_is_refused(string document) =>
        Wire.Refuses(S3Error.MalformedXML, () => Read(document));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused()
    {
        byte[] wrong = [.. "<a><b>"u8, 0xFF, .. "</b></a>"u8];
        Wire.Refuses(S3Error.MalformedXML, () => Read(wrong));
        Wire.Refuses(S3Error.MalformedXML, () => Read(Encoding.Unicode.GetBytes("<a/>")));
    }

    [Fact]
    public void Depth_and_number_are_bounded()
    {
        string Deep(int depth) =>
            "<a>" + string.Concat(Enumerable.Repeat("<x>", depth)) + string.Concat(
                Enumerable.Repeat("</x>", depth))
            + "</a>";
        Assert.Equal("", Read(Deep(XmlDocumentReader.MaxDepth - 1)));
        Wire.Refuses(S3Error.MalformedXML, () => Read(Deep(XmlDocumentReader.MaxDepth)));
        Wire.Refuses(S3Error.MalformedXML, () => Read(Deep(1_000_000)));
        string many = string.Concat(Enumerable.Repeat("<x/>", XmlDocumentReader.MaxElements));
        Wire.Refuses(S3Error.MalformedXML, () => Read($"<a>{many}</a>"));
    }

    private static string Read(string document) => Read(Encoding.UTF8.GetBytes(document));

    private static string Read(byte[] document) => XmlDocumentReader.Read(document, "a", xml =>
    {
        var read = new StringBuilder();
        xml.ForEachChild(name =>
        {
            if (name != "b")
            {
                return false;
            }

            read.Append("b=").Append(xml.Text()).Append(';');
            return true;
        });
        return read.ToString();
    });
}
