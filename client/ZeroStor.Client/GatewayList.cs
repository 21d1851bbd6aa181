using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orleans.Messaging;

namespace ZeroStor.Client;

/// <summary>The gateways that were configured. Orleans' own static list takes addresses only and keeps what it
/// was given; this one looks names up anew at each refresh, so a silo that came back elsewhere is found.
/// </summary>
internal sealed class GatewayList(IEnumerable<string> gateways, TimeSpan refreshPeriod) : IGatewayListProvider
{
    private readonly (string Host, int Port)[] _gateways = [.. gateways.Select(ParseGateway)];

    public TimeSpan MaxStaleness => refreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public async Task<IList<Uri>> GetGateways()
    {
        var found = new List<Uri>();
        foreach ((string host, int port) in _gateways)
        {
            try
            {
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(host);
                found.AddRange(addresses.Select(a => new IPEndPoint(a, port).ToGatewayUri()));
            }
            catch (SocketException)
            {
                // A name that nobody knows now may be known at the next refresh; the others serve until then.
            }
        }

        return found;
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    internal static (string Host, int Port) ParseGateway(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        return host.Length > 0
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is > 0 and <= IPEndPoint.MaxPort
                ? (host, port)
                : throw ZeroStorException.Invalid(
                    $"'{text}' is not a gateway: write HOST:PORT, as in 127.0.0.1:30000");
    }
}
