using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>How a <see cref="ZeroStorClient"/> finds its fabric and how long it goes on trying.</summary>
public sealed class ZeroStorClientOptions
{
    /// <summary>The port at which a silo's gateway listens when nothing else was said.</summary>
    public const int DefaultGatewayPort = 30000;

    /// <summary>Gateways of silos as <c>HOST:PORT</c>; one that answers is enough, more survive its loss.
    /// Names are looked up again from time to time. Empty: the client stands beside the Orleans client or
    /// silo that the host has already.</summary>
    public IList<string> Gateways { get; } = [];

    /// <summary>Orleans' ClusterId; must equal the silos'.</summary>
    public string ClusterId { get; set; } = "zerostor";

    /// <summary>Orleans' ServiceId, the name of the fabric; must equal the silos'.</summary>
    public string ServiceId { get; set; } = "zerostor";

    /// <summary>How long starting waits for a gateway to answer before it fails with
    /// <see cref="ErrorKind.Unavailable"/>.</summary>
    public TimeSpan ConnectPatience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a step (opening a put, writing or reading a stripe, committing) is tried again
    /// against failures that pass, such as a silo that died or has no slot free, before the failure is
    /// thrown.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The silo whose disk grains coordinate for this client where it has any: the silo that a front
    /// end runs in, so that bytes enter the fabric without a copy. Null: any silo.</summary>
    public string? NearSilo { get; set; }

    /// <summary>The private keys of a vault whose owner keeps them, by its name; null: there are none here. It is asked
    /// each time that they are needed, and the client disposes what it is given. As it is, they come from
    /// <see cref="OwnerKeyFile.PathOf"/>.</summary>
    public Func<string, PrivateKeys?> OwnerKeys { get; set; } = vault => OwnerKeyFile.Find(OwnerKeyFile.PathOf(vault));
}
