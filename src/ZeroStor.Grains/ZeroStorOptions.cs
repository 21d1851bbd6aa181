namespace ZeroStor.Grains;

/// <summary>What a silo of the fabric is told at its start. Bound from the section <c>ZeroStor</c>.</summary>
public sealed class ZeroStorOptions
{
    public const string Section = "ZeroStor";

    /// <summary>Disks that a first start makes when it is told nothing: what 20+4 needs.</summary>
    public const int DefaultDisks = 24;

    /// <summary>Where the silo keeps its own: managed disks, keys, the embedded catalog.</summary>
    public string Data { get; set; } = "zerostor-data";

    /// <summary>How many disk folders to make in <see cref="Data"/>; null: those it had, or
    /// <see cref="DefaultDisks"/> where it had none and <see cref="DiskPaths"/> names none.</summary>
    public int? Disks { get; set; }

    /// <summary>Folders on real mounts, each a disk. Never made by the silo.</summary>
    public IList<string> DiskPaths { get; set; } = [];

    /// <summary>The code of vaults that ask for none; null: 20+4.</summary>
    public string? Code { get; set; }

    /// <summary>Whether other silos bring disks, too: the fabric may begin with fewer than
    /// <see cref="Code"/> needs, and its first vault is made when there are enough.</summary>
    public bool IsShared { get; set; }

    /// <summary>Whether this silo may be reached from other machines though nobody is asked who he is and links
    /// are not encrypted.</summary>
    public bool InsecureNetwork { get; set; }

    public string Region { get; set; } = "";

    public string Site { get; set; } = "";

    public string Rack { get; set; } = "";

    /// <summary>The master key's file; null: <c>keys/master.key</c> in <see cref="Data"/>.</summary>
    public string? MasterKeyFile { get; set; }

    /// <summary>The file with the passphrase that the master key's file is under; null: it is under none.</summary>
    public string? MasterKeyPassphraseFile { get; set; }

    /// <summary>The file of the master key that shall take this one's place; null: none shall. All silos must have it
    /// before it does.</summary>
    public string? NextMasterKeyFile { get; set; }

    /// <summary>The file with its passphrase; null: it is under none.</summary>
    public string? NextMasterKeyPassphraseFile { get; set; }

    /// <summary>Length of a tick. A minute is what the design's ages are made for; tests shorten
    /// it.</summary>
    public double TickSeconds { get; set; } = 60;

    /// <summary>How long after its death a content is reclaimed: reads that began before end well.</summary>
    public uint ReclaimAfterTicks { get; set; } = 15;

    /// <summary>How long a row of the dead is kept, and what no catalog remembers. As many ticks as a catalog refuses
    /// older contents by; fewer only in tests, where nobody says an order again.</summary>
    public uint ForgetAfterTicks { get; set; } = 1440;

    /// <summary>What was put so long ago and has no row in the catalog is condemned: no put goes that long
    /// without one.</summary>
    public uint OrphanAfterTicks { get; set; } = 60;

    /// <summary>An open put, and an upload in parts, untouched for this long is condemned.</summary>
    public uint UploadIdleTicks { get; set; } = 1440;

    /// <summary>A silo that is away for longer than this is lost: its disks' places go to others.</summary>
    public double LostAfterSeconds { get; set; } = 600;

    /// <summary>When more of the fabric's disks than this share, in more than one failure domain, are out of
    /// reach together, replacing them waits for their return or an operator.</summary>
    public double MassLossShare { get; set; } = Placement.Absence.DefaultMassShare;

    /// <summary>A census is taken this often: a week.</summary>
    public uint CensusTicks { get; set; } = 10_080;

    /// <summary>Without a census for so long the ledger is not green: thirty days.</summary>
    public uint CensusOverdueTicks { get; set; } = 43_200;

    /// <summary>A census works at most this share of the time, unless <c>zs census</c> hurries it.</summary>
    public double CensusShare { get; set; } = 0.2;

    /// <summary>How long a stripe below its write floor waits for a home.</summary>
    public double PutPatienceSeconds { get; set; } = 60;

    /// <summary>What repair may read and write a second, so that readers do not notice; <c>zs repair</c>
    /// lifts it. 0 is no limit.</summary>
    public long RepairMaxMiBPerSecond { get; set; } = 100;

    /// <summary>What scrub reads a second on all disks of this silo together, at most; 0 turns it off. 10
    /// MiB/s is 25 TB a month: where there is more, a pass takes longer than
    /// <see cref="ScrubPeriodDays"/>.</summary>
    public long ScrubMaxMiBPerSecond { get; set; } = 10;

    /// <summary>Scrub reads all of a disk once in so many days, evenly; 0: pass after pass, as fast as it
    /// may. </summary>
    public double ScrubPeriodDays { get; set; } = 30;

    /// <summary>Between two rounds of scrub over all disks: each reads what became due since the one before.
    /// </summary>
    public double ScrubPauseSeconds { get; set; } = 60;

    /// <summary>Puts that a silo serves at once; more are told that it is busy.</summary>
    public int MaxPuts { get; set; } = 256;

    /// <summary>Memory for stripes on their way in: pieces, sealed bytes and parity together.</summary>
    public long StripeMemoryBytes { get; set; } = 192L * 1024 * 1024;

    /// <summary>Over how many grains a vault's keys are dealt.</summary>
    public int ObjectPartitions { get; set; } = 16;

    /// <summary>Size at which a disk begins its next volume file.</summary>
    public long VolumeBytes { get; set; } = 256L * 1024 * 1024;

    internal uint ScrubPeriodTicks =>
        (uint)Math.Clamp(TimeSpan.FromDays(ScrubPeriodDays).TotalSeconds / TickSeconds, 0, uint.MaxValue);

    internal Labels Labels => new(Region, Site, Rack);

    internal Code DefaultCode => Code is null ? ZeroStor.Code.Default : ZeroStor.Code.Parse(Code);
}
