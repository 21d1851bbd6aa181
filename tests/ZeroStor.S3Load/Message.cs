using System.Text;

namespace ZeroStor.S3Load;

/// <summary>A request of HTTP/1.1 as it shall go over the wire, so that any of it can be wrong.</summary>
internal sealed record Message(
    string Method, string Target, (string Name, string Value)[] Headers, byte[] Body)
{
    public static Message Of(string method, string target, params (string Name, string Value)[] headers) =>
        new(method, target, headers, []);

    public Message With(string body) => this with { Body = Encoding.UTF8.GetBytes(body) };

    public Message With(string name, string value) => this with { Headers = [.. Headers, (name, value)] };

    /// <summary>The first header of a name; null: there is none.</summary>
    public string? this[string name] =>
        Headers.FirstOrDefault(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public byte[] ToBytes() =>
    [
        .. Encoding.Latin1.GetBytes(
            $"{Method} {Target} HTTP/1.1\r\n"
            + $"{string.Concat(Headers.Select(h => $"{h.Name}: {h.Value}\r\n"))}\r\n"),
        .. Body,
    ];
}
