using System.Collections.Immutable;
using System.Net;

namespace ZeroStor.S3;

/// <summary>What the S3 front end is told.</summary>
public sealed class S3Options
{
    public const int DefaultPort = 9000;

    /// <summary>S3's rule for parts but the last.</summary>
    public const long DefaultMinPartBytes = 5L * 1024 * 1024;

    /// <summary>Where it listens. It is plain HTTP: signatures keep requests from being made or changed by
    /// others, and what they carry can be read on the way.</summary>
    public IPEndPoint Endpoint { get; set; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>Where it listens for HTTP/2 from the first byte on (prior knowledge), as proxies speak it to
    /// what is behind them; null: nowhere. Without TLS a port cannot tell the two protocols apart.</summary>
    public IPEndPoint? Http2Endpoint { get; set; }

    /// <summary>What it is called by where buckets stand before it (<c>bucket.s3.example.com</c>); none:
    /// buckets stand in the path, where they may always stand.</summary>
    public ImmutableArray<string> Domains { get; set; } = [];

    /// <summary>What it tells clients that ask for a bucket's region. They may sign for any.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>The least bytes of a part of an upload but the last.</summary>
    public long MinPartBytes { get; set; } = DefaultMinPartBytes;

    /// <summary>Connections at once; more are closed at once.</summary>
    public int MaxConnections { get; set; } = 4096;
}
