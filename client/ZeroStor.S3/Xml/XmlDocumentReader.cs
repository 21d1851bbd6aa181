using System.Text;
using System.Xml;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Xml;

/// <summary>Reads a document of a request, element by element. It is UTF-8 without a document type, so
/// nothing in it names entities or addresses; elements, depth and length are bounded. Whatever is wrong is
/// <see cref="S3Error.MalformedXML"/>. Character references to what XML 1.0 cannot hold are read as what they
/// mean: keys have such characters, and S3 tells them so.</summary>
internal sealed class XmlDocumentReader : IDisposable
{
    /// <summary>S3's documents are at most six deep.</summary>
    public const int MaxDepth = 16;

    /// <summary>10,000 parts of an upload with their checksums are 50,000.</summary>
    public const int MaxElements = 100_000;

    private readonly XmlReader _xml;
    private int _depth;
    private int _elements;

    private XmlDocumentReader(string text) => _xml = XmlReader.Create(
        new StringReader(text),
        new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            CheckCharacters = false,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            CloseInput = true,
        });

    /// <summary>Reads a document.</summary>
    /// <param name="document">All of it; bounded by whoever read it from the wire.</param>
    /// <param name="root">What its root must be called.</param>
    /// <param name="read">Reads the root's children.</param>
    /// <exception cref="S3Exception">MalformedXML, and what <paramref name="read"/> throws.</exception>
    public static T Read<T>(ReadOnlySpan<byte> document, string root, Func<XmlDocumentReader, T> read)
    {
        string text = Decode(document);
        try
        {
            using var reader = new XmlDocumentReader(text);
            if (reader._xml.MoveToContent() != XmlNodeType.Element || reader._xml.LocalName != root)
            {
                throw Malformed($"its root is not {root}");
            }

            T value = read(reader);
            return reader._xml.MoveToContent() == XmlNodeType.None
                ? value
                : throw Malformed("something stands behind its root");
        }
        catch (XmlException wrong)
        {
            throw new S3Exception(S3Error.MalformedXML, null, wrong);
        }
    }

    /// <summary>Goes through the children of the element at hand, and leaves it. An element that
    /// <paramref name="take"/> does not know, and says so, is passed over: S3's documents grow.</summary>
    public void ForEachChild(Func<string, bool> take)
    {
        bool isOpen = Enter();
        while (isOpen && _xml.NodeType != XmlNodeType.EndElement)
        {
            switch (_xml.NodeType)
            {
                case XmlNodeType.Element:
                    if (!take(_xml.LocalName))
                    {
                        Skip();
                    }

                    break;
                case XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    Next();
                    break;
                default:
                    throw Malformed("text stands where an element should");
            }
        }

        Leave();
    }

    /// <summary>The text of the element at hand; leaves it.</summary>
    public string Text()
    {
        bool isOpen = Enter();
        var text = new StringBuilder();
        while (isOpen && _xml.NodeType != XmlNodeType.EndElement)
        {
            text.Append(_xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace
                or XmlNodeType.SignificantWhitespace
                ? _xml.Value
                : throw Malformed("an element stands where text should"));
            Next();
        }

        Leave();
        return text.ToString();
    }

    /// <summary>An attribute of the element at hand, by its name without a prefix; null where it has
    /// none.</summary>
    public string? Attribute(string localName)
    {
        string? value = null;
        for (bool has = _xml.MoveToFirstAttribute(); has; has = _xml.MoveToNextAttribute())
        {
            if (_xml.LocalName == localName)
            {
                value = _xml.Value;
            }
        }

        _xml.MoveToElement();
        return value;
    }

    public void Dispose() => _xml.Dispose();

    public static S3Exception Malformed(string why) =>
        new(S3Error.MalformedXML, $"{S3Error.MalformedXML.Sentence} In this document {why}.");

    private void Skip()
    {
        bool isOpen = Enter();
        while (isOpen && _xml.NodeType != XmlNodeType.EndElement)
        {
            if (_xml.NodeType == XmlNodeType.Element)
            {
                Skip();
            }
            else
            {
                Next();
            }
        }

        Leave();
    }

    // Whether there is something within, and an end to be met.
    private bool Enter()
    {
        if (++_depth > MaxDepth || ++_elements > MaxElements)
        {
            throw Malformed("there are too many elements, or they are too deep");
        }

        if (_xml.IsEmptyElement)
        {
            return false;
        }

        Next();
        return true;
    }

    private void Leave()
    {
        _depth--;
        _xml.Read();
    }

    private void Next()
    {
        if (!_xml.Read())
        {
            throw Malformed("an element does not end");
        }
    }

    private static string Decode(ReadOnlySpan<byte> document)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("there are bytes that are no UTF-8");
        }
    }
}
