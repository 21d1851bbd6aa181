using System.Net;
using System.Net.Sockets;
using Orleans.Messaging;

namespace ZeroStor.Client;

/// <summary>The gateways that were configured. Orleans' own static list takes addresses only and keeps what
/// it was given; this one looks names up anew at each refresh, so a silo that came back elsewhere is found.
/// </summary>
internal sealed class GatewayList(IEnumerable<string> gateways, TimeSpan refreshPeriod) : IGatewayListProvider
{
    private readonly GatewayAddress[] _gateways = [.. gateways.Select(GatewayAddress.Parse)];

    public TimeSpan MaxStaleness => refreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public async Task<IList<Uri>> GetGateways()
    {
        var found = new List<Uri>();
        foreach (GatewayAddress gateway in _gateways)
        {
            try
            {
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(gateway.Host);
                found.AddRange(addresses.Select(a => new IPEndPoint(a, gateway.Port).ToGatewayUri()));
            }
            catch (SocketException)
            {
                // A name that nobody knows now may be known at the next refresh; the others serve until then.
            }
        }

        return found;
    }
}
