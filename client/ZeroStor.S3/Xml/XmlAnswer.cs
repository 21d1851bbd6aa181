using System.Buffers;
using System.Globalization;
using System.Text;

namespace ZeroStor.S3.Xml;

/// <summary>Writes a document of an answer straight into the buffers that go to the socket. Names are this
/// code's own; texts may be anything that a key is. What XML 1.0 cannot hold is written as a reference to the
/// character, as S3 does: a client that cannot read it asks for keys percent-encoded, and none is shown
/// another key.</summary>
internal sealed class XmlAnswer
{
    public const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    private const string DateFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    // All that does not stand for itself: control characters, U+FFFE and U+FFFF, and what XML is made of. A
    // carriage return would be read as a line feed.
    private static readonly SearchValues<char> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(c => (char)c), '&', '<', '>', '"', '\uFFFE', '\uFFFF']);

    private readonly IBufferWriter<byte> _target;

    /// <param name="target">Takes UTF-8.</param>
    /// <param name="root">The root's name; <see cref="End"/> closes it.</param>
    /// <param name="hasNamespace">Errors have none.</param>
    public XmlAnswer(IBufferWriter<byte> target, string root, bool hasNamespace = true)
    {
        _target = target;
        Raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
        Raw(root);
        Raw(hasNamespace ? $" xmlns=\"{Namespace}\">" : ">");
    }

    public XmlAnswer Start(string name)
    {
        Raw("<");
        Raw(name);
        Raw(">");
        return this;
    }

    public XmlAnswer End(string name)
    {
        Raw("</");
        Raw(name);
        Raw(">");
        return this;
    }

    public XmlAnswer Element(string name, string text)
    {
        Start(name);
        Text(text);
        return End(name);
    }

    /// <summary>Nothing where there is no text.</summary>
    public XmlAnswer Optional(string name, string? text) => text is null ? this : Element(name, text);

    public XmlAnswer Element(string name, long number) =>
        Element(name, number.ToString(CultureInfo.InvariantCulture));

    public XmlAnswer Element(string name, bool value) => Element(name, value ? "true" : "false");

    public XmlAnswer Element(string name, DateTimeOffset time) =>
        Element(name, time.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture));

    /// <summary>What this code wrote itself, as it is.</summary>
    public XmlAnswer Raw(string xml)
    {
        Append(xml);
        return this;
    }

    public void Text(string text)
    {
        ReadOnlySpan<char> rest = text;
        while (rest.IndexOfAny(Special) is var at and >= 0)
        {
            Append(rest[..at]);
            Append(rest[at] switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                var c => $"&#x{(int)c:X};",
            });
            rest = rest[(at + 1)..];
        }

        Append(rest);
    }

    private void Append(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, _target);
}
