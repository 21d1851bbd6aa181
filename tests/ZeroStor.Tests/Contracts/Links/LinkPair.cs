using System.Net;
using Microsoft.AspNetCore.Connections;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Tests.Contracts.Links;

/// <summary>Both ends of a link over the loopback.</summary>
internal sealed class LinkPair : IAsyncDisposable
{
    private LinkPair(LinkListener listener, ConnectionContext near, ConnectionContext far) =>
        (Listener, Near, Far) = (listener, near, far);

    internal LinkListener Listener { get; }

    internal ConnectionContext Near { get; }

    internal ConnectionContext Far { get; }

    internal static async Task<LinkPair> OpenAsync(CancellationToken cancel)
    {
        var listener = new LinkListener(new IPEndPoint(IPAddress.Loopback, 0));
        Task<ConnectionContext?> taken = listener.AcceptAsync(cancel).AsTask();
        ConnectionContext near = await new LinkConnector().ConnectAsync(listener.EndPoint, cancel);
        return new LinkPair(listener, near, (await taken)!);
    }

    public async ValueTask DisposeAsync()
    {
        await Near.DisposeAsync();
        await Far.DisposeAsync();
        await Listener.DisposeAsync();
    }
}
