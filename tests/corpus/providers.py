"""Where people really have addresses. None of these is a slip of the finger."""

from __future__ import annotations

WORLD = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com windowslive.com
yahoo.com ymail.com rocketmail.com myyahoo.com aol.com aim.com love.com games.com wow.com
verizon.net icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me tutanota.com
tutanota.de tutamail.com tuta.io tuta.com keemail.me fastmail.com fastmail.fm fastmail.net
sent.com messagingengine.com hey.com zoho.com zohomail.com zohomail.eu zoho.eu mail.com email.com
usa.com myself.com consultant.com post.com europe.com engineer.com writeme.com iname.com
techie.com dr.com lawyer.com gmx.com gmx.net gmx.us hushmail.com hush.com hush.ai hushmail.me
runbox.com posteo.net posteo.de posteo.eu mailbox.org mailfence.com disroot.org riseup.net
autistici.org inventati.org startmail.com countermail.com kolabnow.com soverin.net
migadu.com purelymail.com duck.com skiff.com ctemplar.com cock.li airmail.cc vfemail.net
inbox.com lycos.com excite.com juno.com netzero.net netzero.com bigfoot.com
rediffmail.com rediff.com indiatimes.com sify.com in.com qmail.com zmail.com hotpop.com
opayq.com
simplelogin.com anonaddy.com addy.io mozmail.com privaterelay.appleid.com relay.firefox.com
"""

BY_COUNTRY = """
gmx.de gmx.at gmx.ch web.de t-online.de freenet.de arcor.de online.de mail.de email.de 1und1.de
vodafone.de vodafonemail.de unitybox.de kabelmail.de o2online.de o2mail.de alice.de alice-dsl.net
netcologne.de ewetel.net ewe.net versanet.de osnanet.de htp-tel.de gmx.info magenta.de
bluewin.ch sunrise.ch hispeed.ch swissonline.ch green.ch vtxmail.ch aon.at chello.at a1.net
inode.at kabsi.at utanet.at drei.at liwest.at orange.fr wanadoo.fr free.fr sfr.fr neuf.fr
laposte.net bbox.fr numericable.fr club-internet.fr cegetel.net aliceadsl.fr voila.fr dbmail.com
libertysurf.fr noos.fr 9online.fr gmx.fr caramail.com skynet.be telenet.be proximus.be voo.be
scarlet.be belgacom.net base.be pandora.be ziggo.nl kpnmail.nl kpnplanet.nl planet.nl hetnet.nl
home.nl upcmail.nl xs4all.nl casema.nl quicknet.nl chello.nl tele2.nl zonnet.nl zeelandnet.nl
solcon.nl caiway.nl online.nl wxs.nl kpn.com pt.lu internet.lu libero.it virgilio.it alice.it
tin.it tim.it tiscali.it fastwebnet.it inwind.it iol.it blu.it email.it aruba.it pec.it
poste.it gmx.it vodafone.it teletu.it supereva.it telefonica.net terra.es ono.com orange.es
movistar.es wanadoo.es ya.com vodafone.es jazztel.es euskaltel.net telecable.es gmx.es sapo.pt
mail.pt clix.pt netcabo.pt iol.pt vodafone.pt btinternet.com btopenworld.com sky.com talktalk.net
virginmedia.com virgin.net ntlworld.com blueyonder.co.uk tiscali.co.uk o2.co.uk orange.net
plus.com plusnet.com zen.co.uk freeserve.co.uk onetel.com fsmail.net mail.co.uk eircom.net
eir.ie indigo.ie iol.ie telia.com telia.se spray.se bredband.net comhem.se home.se tele2.se
passagen.se swipnet.se online.no broadpark.no lyse.net getmail.no frisurf.no start.no mail.dk
tdcadsl.dk youmail.dk jubii.dk stofanet.dk ofir.dk post.tele.dk get2net.dk webspeed.dk
elisanet.fi kolumbus.fi luukku.com suomi24.fi saunalahti.fi pp.inet.fi welho.com simnet.is
vortex.is inbox.lv apollo.lv mail.ee hot.ee neti.ee one.lt zebra.lt takas.lt mail.ru inbox.ru
list.ru bk.ru internet.ru yandex.ru yandex.com ya.ru rambler.ru lenta.ru ro.ru autorambler.ru
myrambler.ru yandex.by yandex.kz yandex.ua tut.by mail.by ukr.net i.ua meta.ua bigmir.net
online.ua wp.pl o2.pl onet.pl interia.pl op.pl poczta.onet.pl poczta.fm tlen.pl gazeta.pl
vp.pl onet.eu interia.eu go2.pl neostrada.pl seznam.cz email.cz post.cz centrum.cz volny.cz
atlas.cz tiscali.cz azet.sk centrum.sk zoznam.sk post.sk pobox.sk freemail.hu citromail.hu
indamail.hu t-online.hu vipmail.hu upcmail.hu abv.bg mail.bg dir.bg gbg.bg yahoo.ro k.ro
email.ro siol.net net.hr inet.hr email.t-com.hr eunet.rs sbb.rs ptt.rs otenet.gr forthnet.gr
in.gr hol.gr mail.gr freemail.gr cytanet.com.cy mynet.com superonline.com ttmail.com turk.net
walla.com walla.co.il netvision.net.il bezeqint.net 012.net.il zahav.net.il maktoob.com
"""

FARTHER = """
comcast.net att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net swbell.net flash.net
prodigy.net snet.net cox.net charter.net earthlink.net mindspring.com roadrunner.com rr.com
twc.com optonline.net optimum.net frontier.com frontiernet.net windstream.net centurylink.net
centurytel.net embarqmail.com q.com qwest.net suddenlink.net mediacombb.net cableone.net wowway.com
rcn.com hughes.net tds.net peoplepc.com netscape.net netscape.com compuserve.com cs.com
sympatico.ca bell.net rogers.com shaw.ca telus.net videotron.ca cogeco.ca eastlink.ca
sasktel.net mts.net aliant.net nb.sympatico.ca bigpond.com bigpond.net.au bigpond.com.au
optusnet.com.au iinet.net.au internode.on.net tpg.com.au dodo.com.au westnet.com.au ozemail.com.au
adam.com.au xtra.co.nz slingshot.co.nz clear.net.nz paradise.net.nz vodafone.co.nz orcon.net.nz
uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com oi.com.br r7.com zipmail.com.br
fibertel.com.ar speedy.com.ar arnet.com.ar ciudad.com.ar prodigy.net.mx terra.cl vtr.net adsl.tie.cl
une.net.co etb.net.co cantv.net mweb.co.za telkomsa.net vodamail.co.za webmail.co.za iafrica.com
qq.com 163.com 126.com yeah.net sina.com sina.cn sohu.com foxmail.com vip.163.com vip.qq.com
139.com 189.cn wo.cn aliyun.com tom.com 21cn.com naver.com hanmail.net daum.net nate.com kakao.com
korea.com docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp nifty.com ocn.ne.jp
biglobe.ne.jp so-net.ne.jp goo.jp excite.co.jp infoseek.jp plala.or.jp dion.ne.jp yahoo.ne.jp
ybb.ne.jp hinet.net pchome.com.tw seed.net.tw netvigator.com singnet.com.sg starhub.net.sg
pacific.net.sg streamyx.com tm.net.my pldtdsl.net vnn.vn fpt.vn emirates.net.ae eim.ae
"""

WITH_ENDINGS = [
    f"{name}.{ending}"
    for name, endings in {
        "yahoo": "de fr it es ca in co.uk co.jp co.in co.id co.nz co.kr com.br com.ar com.mx com.au"
        " com.sg com.tr com.tw com.hk com.ph com.vn ie gr pl se no dk nl be",
        "hotmail": "de fr it es ca co.uk co.jp com.br com.ar com.tr com.au be nl se no dk fi ch gr",
        "live": "de fr it es ca co.uk co.za com.au com.mx com.pt com.ar cl be nl se no dk fi at ie"
        " in ru jp cn hk com.sg com.my com.ph",
        "outlook": "de fr it es ie pt dk at be cz hu sk ph sa jp kr co.th co.id com.br com.ar"
        " com.au com.tr com.gr com.vn co.il",
        "aol": "de fr it es co.uk ca in jp pl se nl com.au com.mx com.br",
        "ymail": "com ne.jp",
        "msn": "de fr it es nl se dk no ch co.uk ca com.br",
        "gmx": "org biz eu co.uk li",
    }.items()
    for ending in endings.split()
]

COMPANIES = """
google.com microsoft.com apple.com amazon.com amazon.co.uk clerk.com clerk.dev github.com
gitlab.com t.co x.com x.ai openai.com anthropic.com gmail.example gail.co.in gmal.de gaia.com
acme.co acme.cm acme.om acme.io acme.dev acme.ne.jp acme.or.kr telecom.net intercom.com
outpost.com outlier.ai hotels.com hotjar.com yahsat.ae yale.edu mit.edu ox.ac.uk ethz.ch
tum.de inria.fr cern.ch nasa.gov europa.eu who.int un.org bbc.co.uk icrc.org cloud.com
"""

PROVIDERS = sorted(
    {
        *WITH_ENDINGS,
        *(domain for block in (WORLD, BY_COUNTRY, FARTHER, COMPANIES) for domain in block.split()),
    }
)
