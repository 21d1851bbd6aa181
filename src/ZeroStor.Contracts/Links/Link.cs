using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace ZeroStor.Contracts.Links;

/// <summary>A connection between a client and a silo, or two silos, under Orleans' messages. Orleans' own
/// takes bytes from its socket four kilobytes at a time, wakes its reader for each of them, and copies a long
/// message twice before it leaves; here what carries a piece of a stripe is laid once into one block, and
/// received by a few calls into another. Blocks are rented while bytes are in them: a silent link holds
/// none.</summary>
internal sealed class Link : DefaultConnectionContext
{
    private readonly CancellationTokenSource _closed = new();
    private readonly NetworkStream _stream;
    private readonly LinkWriter _writer;
    private int _isOver;

    /// <summary>Takes over a socket that is connected.</summary>
    public Link(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _writer = new LinkWriter(_stream);
        ConnectionClosed = _closed.Token;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Transport = new Ends(
            PipeReader.Create(_stream, new StreamPipeReaderOptions(
                LinkBlocks.Shared,
                LinkBlocks.BlockBytes,
                LinkBlocks.LeastReceiveBytes,
                leaveOpen: true,
                useZeroByteReads: true)),
            _writer);
    }

    /// <summary>Closes the socket: whoever reads or writes hears of it, and who follows <see
    /// cref="DefaultConnectionContext.ConnectionClosed"/> before this returns.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _stream.Dispose();
            _closed.Cancel();
        }
    }

    /// <summary>When nobody reads or writes any more.</summary>
    public override async ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _isOver, 1);
        await _stream.DisposeAsync();
        await Transport!.Input.CompleteAsync();
        _writer.Dispose();
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
