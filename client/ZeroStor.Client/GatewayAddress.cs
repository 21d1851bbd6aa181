using System.Globalization;
using System.Net;

namespace ZeroStor.Client;

/// <summary>Where a silo's gateway listens.</summary>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">TCP port.</param>
public readonly record struct GatewayAddress(string Host, int Port)
{
    /// <summary>Reads <c>HOST:PORT</c>; an IPv6 address stands in brackets.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument, with what a gateway looks like.</exception>
    public static GatewayAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.LastIndexOf(':');
        string host = colon > 0 ? text[..colon] : "";
        bool isBracketed = host.StartsWith('[') && host.EndsWith(']');
        return host.Length > 0
            && isBracketed == host.Contains(':', StringComparison.Ordinal)
            && int.TryParse(
                text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is > 0 and <= IPEndPoint.MaxPort
                ? new GatewayAddress(isBracketed ? host[1..^1] : host, port)
                : throw ZeroStorException.Invalid(
                    $"'{text}' is not a gateway: write HOST:PORT, as in 127.0.0.1:30000.");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
