using ZeroStor.Tests.S3;

namespace ZeroStor.S3Load;

/// <summary>A request that is wrong somewhere.</summary>
/// <param name="How">The kind of wrong.</param>
/// <param name="Bytes">What goes over the wire.</param>
internal sealed record BadRequest(string How, byte[] Bytes);

/// <summary>Makes bad requests of good ones by a seed: in the request as a whole and where only its signature
/// is right, so that what lies behind that is reached.</summary>
internal sealed class BadRequests(GoodRequests good, Signer signer, int seed)
{
    private static readonly string[] WirePieces =
    [
        "\r\n", "\r\n\r\n", "\0", " ", "\t", ":", "HTTP/1.1", "HTTP/1.0",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n",
        "Content-Length: -1\r\n", "Host: b\r\n", "Connection: upgrade\r\n", "Expect: 100-continue\r\n",
        "\u00ff\u00fe", "%00", "../", "x-amz-acl: public-read\r\n",
    ];

    private static readonly string[] XmlPieces =
    [
        "<", ">", "</", "/>", "&", "&amp;", "&#0;", "&#xD800;",
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>", "&e;", "<![CDATA[", "]]>", "<!--",
        "-->", "<?a?>", "xmlns=\"x\"", "<Object>", "<Key>", "</Key>", "\0", "\u00ff",
        "99999999999999999999", "-1", "{", "}", "[", "\"",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
    ];

    private static readonly string[] TargetPieces =
    [
        "%", "%0", "%00", "%zz", "%2F", "%2e%2e", "/", "//", "?", "&", "=", "#", ";", "+", "\u00e4",
        "versionId=", "uploadId=", "partNumber=0", "partNumber=10001", "max-keys=-1",
        "max-keys=99999999999", "encoding-type=x", "list-type=3", "continuation-token=x", "torrent",
        "select", "acl", "tagging", "delete", "X-Amz-Signature=1", "response-expires=%0d%0a",
    ];

    private static readonly string[] ValuePieces =
    [
        ",", ";", "\"", "=", "bytes=", "bytes=5-1", "bytes=-0", "-", "99999999999999999999", "Credential=",
        "/", "%", "SignedHeaders=", "host", "Signature=", "\u00ff", "W/", "*",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "=?UTF-8?B?",
    ];

    private static readonly string[] ChunkPieces =
    [
        "\r\n", "\n", ";", "chunk-signature=", "0", "0\r\n", "ffffffffffffffff", "-1", "5;",
        "x-amz-checksum-crc32:", "\0", "x-amz-trailer-signature:", "7fffffff\r\n",
    ];

    private static readonly string[] Lengths =
        ["0", "1", "99", "5368709121", "99999999999999999999", "-1", "+3", "3 ", "0x3", "3,3", "", "abc"];

    private readonly Mutator _mutator = new(seed);

    /// <summary>Every kind of wrong.</summary>
    public static string[] Kinds { get; } =
    [
        "wire", "half", "document", "target", "header", "signature", "chunks", "length", "flood", "presigned",
    ];

    public BadRequest Next()
    {
        string how = _mutator.Pick(Kinds);
        return new BadRequest(how, how switch
        {
            "half" => Half(),
            "document" => Document(),
            "target" => Target(),
            "header" => Header(),
            "signature" => Signature(),
            "chunks" => Chunks(),
            "length" => Length(),
            "flood" => Flood(),
            "presigned" => Presigned(),
            _ => _mutator.Bytes(Signed().ToBytes(), WirePieces),
        });
    }

    // What ends a connection, so that an answer's end is seen whatever its length says.
    private Message Any() => _mutator.Pick(_mutator.Pick(new[] { good.Documents, good.Others, good.Bodies }))
        .With("Connection", "close");

    private Message Signed() => signer.Sign(Any());

    private byte[] Half()
    {
        byte[] whole = (_mutator.Next(3) == 0 ? Chunked() : Signed()).ToBytes();
        return whole[..(1 + _mutator.Next(whole.Length - 1))];
    }

    private byte[] Document()
    {
        Message message = _mutator.Pick(good.Documents).With("Connection", "close");
        return signer.Sign(message with { Body = _mutator.Bytes(message.Body, XmlPieces) }).ToBytes();
    }

    private byte[] Target()
    {
        Message message = Any();
        return signer.Sign(message with { Target = Line(message.Target, TargetPieces) }).ToBytes();
    }

    private byte[] Header()
    {
        Message message = _mutator.Next(2) == 0 ? Any() : _mutator.Pick(good.Bodies);
        (string Name, string Value)[] headers = [.. message.Headers];
        if (headers.Length > 0)
        {
            int at = _mutator.Next(headers.Length);
            headers[at].Value = Line(headers[at].Value, ValuePieces);
        }

        return signer.Sign(message with { Headers = headers }).ToBytes();
    }

    private byte[] Signature()
    {
        Message message = Signed();
        (string Name, string Value)[] headers = [.. message.Headers];
        string name = _mutator.Pick(["Authorization", "x-amz-date", "x-amz-content-sha256", "Host"]);
        int at = Array.FindIndex(headers, h => h.Name == name);
        headers[at].Value = Line(headers[at].Value, ValuePieces);
        return (message with { Headers = headers }).ToBytes();
    }

    private byte[] Chunks()
    {
        Message message = Chunked();
        return Signer.WithBody(message, _mutator.Bytes(message.Body, ChunkPieces)).ToBytes();
    }

    private byte[] Length()
    {
        Message message = Signed();
        string length = _mutator.Pick(Lengths);
        IEnumerable<(string Name, string Value)> others =
            message.Headers.Where(h => h.Name != "Content-Length");
        return (message with
        {
            Headers = _mutator.Next(4) switch
            {
                0 => [.. message.Headers, ("Content-Length", length)],
                1 => [.. message.Headers, ("Transfer-Encoding", "chunked")],
                2 => [.. others, ("Transfer-Encoding", "chunked")],
                _ => [.. others, ("Content-Length", length)],
            },
        }).ToBytes();
    }

    private byte[] Flood()
    {
        Message message = Signed();
        string much = new('a', 1 << (10 + _mutator.Next(9)));
        return (_mutator.Next(4) switch
        {
            0 => message with { Target = $"{message.Target}?{much}" },
            1 => message.With("x-amz-meta-much", much),
            2 => message with { Method = much },
            _ => message with
            {
                Headers =
                [
                    .. message.Headers,
                    .. Enumerable.Range(0, much.Length / 64).Select(i => ($"x-{i}", "a")),
                ],
            },
        }).ToBytes();
    }

    private byte[] Presigned()
    {
        Message message = signer.Presign(
            _mutator.Pick(good.Addresses).With("Connection", "close"), seconds: 60);
        return (message with { Target = Line(message.Target, TargetPieces) }).ToBytes();
    }

    private Message Chunked() => _mutator.Next(2) == 0
        ? signer.Sign(good.Trailed.With("Connection", "close"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        : signer.SignChunks(
            _mutator.Pick(good.Bodies).With("Connection", "close"), 1 + _mutator.Next(64 * 1024));

    // Changed, but still one line: what breaks lines is for the wire's kind.
    private string Line(string text, string[] pieces) =>
        new([.. _mutator.Text(text, pieces).Where(c => c is not ('\r' or '\n'))]);
}
